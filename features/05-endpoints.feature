Feature: The candidate answers as its users expect
  Protects users from a revision that runs and does not work; asked on its own URL, before any user is.

  Scenario: Every endpoint answers, and soon enough
    Then the candidate answers
      | request                                           | body                | p95 at most |
      | GET /api/health                                   | status = ok         | 100 ms      |
      | GET /api/dashboard/costs/summary                  | has messages.total  | 500 ms      |
      | GET /api/dashboard/timeline/activity?period=7d    | 8 entries           | 500 ms      |
      | GET /api/dashboard/timeline/costs?period=30d      | 31 entries          | 500 ms      |
      | GET /api/dashboard/timeline/tokens?period=90d     | 91 entries          | 500 ms      |
      | GET /api/dashboard/timeline/tokens?period=1y      | 366 entries         | 500 ms      |
      | GET /                                             |                     | 500 ms      |
      | GET /memory                                       |                     | 500 ms      |

  Scenario: Strangers are refused
    Then the candidate answers
      | request                              | as          | status |
      | GET /api/dashboard/costs/summary     | nobody      | 401    |
      | GET /api/dashboard/costs/summary     | a developer | 200    |
      | GET /api/health                      | nobody      | 200    |

  Scenario: A session sees its own costs
    Then "/api/dashboard/costs/summary" answers the session "session-1" otherwise than everybody

  Scenario: A text is analysed once, and remembered
    When the candidate is asked twice to analyse the same text
    Then the first answer is "completed" and the second "skipped"
    And these counters have moved
      | counter                           |
      | memory_analysis_requests_total    |
      | memory_analysis_cache_hits_total  |

  Scenario: The candidate can be watched
    Then its metrics have at least 13 families, among them
      | family             |
      | memory_analysis_   |
      | memory_preferences_|
      | concept_recall     |

  Scenario: A conversation is answered
    Then the candidate answers "hello" on the WebSocket "/ws/rehearsal"
