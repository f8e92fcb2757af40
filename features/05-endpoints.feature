Feature: The candidate answers as its users expect
  Protects users from a revision that runs and does not work; asked on its own URL, before any user is.

  Scenario: Every endpoint answers, and soon enough
    Then the candidate answers
      | request                                        | headers                         | body                | schema                     | requests | p95 at most |
      | GET /api/health                                | content-type ~ application/json | status = ok         |                            | 20       | 100 ms      |
      | GET /api/dashboard/costs/summary               | content-type ~ application/json | messages.total >= 0 | schemas/costs-summary.json | 20       | 500 ms      |
      | GET /api/dashboard/timeline/activity?period=7d | content-type ~ application/json | 8 entries           | schemas/timeline.json      | 20       | 500 ms      |
      | GET /api/dashboard/timeline/costs?period=30d   | content-type ~ application/json | 31 entries          | schemas/timeline.json      | 20       | 500 ms      |
      | GET /api/dashboard/timeline/tokens?period=90d  | content-type ~ application/json | 91 entries          | schemas/timeline.json      | 20       | 500 ms      |
      | GET /api/dashboard/timeline/tokens?period=1y   | content-type ~ application/json | 366 entries         | schemas/timeline.json      | 20       | 500 ms      |
      | GET /                                          | content-type ~ text/html        |                     |                            | 20       | 500 ms      |
      | GET /memory                                    | content-type ~ text/html        |                     |                            | 20       | 500 ms      |

  Scenario: Strangers are rejected
    Then the candidate answers
      | request                          | as          | sends         | status | headers                   |
      | GET /api/dashboard/costs/summary | nobody      |               | 401    | www-authenticate ~ Bearer |
      | GET /api/dashboard/costs/summary | a developer |               | 200    |                           |
      | GET /api/health                  | nobody      |               | 200    |                           |
      | POST /api/memory/analyze         | nobody      | text = "mine" | 401    | www-authenticate ~ Bearer |

  Scenario: Invalid requests are rejected
    Then the candidate answers
      | request                  | sends         | status | body                    |
      | POST /api/memory/analyze |               | 422    | detail.0.type = missing |
      | POST /api/memory/analyze | text = ""     | 422    | detail.0.loc.1 = text   |
      | POST /api/memory/analyze | text = [1, 2] | 422    | detail.0.loc.1 = text   |
      | POST /api/documents      | text = "mine" | 422    | detail.0.loc.1 = file   |

  Scenario: A session sees its own costs
    Then "/api/dashboard/costs/summary" answers session "session-1" differently from other sessions

  Scenario: A text is analysed once, and remembered
    Given the candidate's metrics at "/api/metrics"
    Then the candidate answers in turn
      | request                  | sends                            | answers                           | keeps          | within |
      | POST /api/memory/analyze | text = "a rehearsal of {unique}" | status = completed                | id as analysis | 2 s    |
      | POST /api/memory/analyze | text = "a rehearsal of {unique}" | status = skipped; id = {analysis} |                | 100 ms |
    And these counters have risen since
      | counter                                             | by at least |
      | memory_analysis_requests_total{outcome="completed"} | 1           |
      | memory_analysis_requests_total{outcome="skipped"}   | 1           |
      | memory_analysis_cache_hits_total                    | 1           |

  Scenario: The candidate can be watched
    Given the candidate's metrics at "/api/metrics"
    Then they have at least 13 families, among them
      | family                           | type      | labels               |
      | http_requests                    | counter   | method, path, status |
      | memory_analysis_                 |           |                      |
      | memory_analysis_duration_seconds | histogram |                      |
      | memory_preferences_              |           |                      |
      | concept_recall                   |           |                      |

  Scenario: The candidate meets its own objectives
    Given the candidate's metrics at "/api/metrics"
    Then they meet these objectives
      | measure                                 | at least | at most |
      | cache hit rate                          | 40 %     |         |
      | cache size                              |          | 100     |
      | p95 of memory_analysis_duration_seconds |          | 2 s     |
      | process_resident_memory_bytes           |          | 450 MiB |
    And they meet the canary's objectives

  Scenario: A conversation is answered
    Then the candidate answers "hello" on the WebSocket "/ws/rehearsal"

  @rehearsal
  Scenario: An account is used, from its first text to a clean memory
    Then the candidate answers in turn
      | request                  | sends                                     | status | answers                                                       | keeps               | within |
      | GET /api/health          |                                           |        | status = ok                                                   |                     |        |
      | POST /api/documents      | file as maps.txt = "I love maps {unique}" | 201    | name = maps.txt; characters = 44                              | id as document      | 2 s    |
      | GET /api/documents       |                                           |        | documents: 1 entry; documents.0.id = {document}               |                     | 500 ms |
      | POST /api/memory/analyze | text = "I love maps, {unique}"            |        | status = completed; preferences.0.subject = maps              | concepts as learned | 2 s    |
      | DELETE /api/memory       |                                           |        | status = cleared; documents = 1; concepts > 0                 |                     | 2 s    |
      | POST /api/memory/analyze | text = "I love maps, {unique}"            |        | status = completed; concepts = {learned}; recalled: 0 entries |                     | 2 s    |
      | GET /api/documents       |                                           |        | documents: 0 entries                                          |                     | 500 ms |

  Scenario: Pages open as in anybody's browser
    Then these pages open in a browser
      | page    | shows                                                        | title     | as     |
      | /       | heading "Service"; #health "ok"; link "Memory"               | Emergence | nobody |
      | /memory | heading "Memory"; textbox "Text"; button "Analyse"; #analyze | Emergence | a user |

  Scenario: The interface is what its document says
    Then every GET in its OpenAPI document "/openapi.json" answers as documented
