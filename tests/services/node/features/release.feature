Feature: Everybody is greeted
  Protects whoever wants a greeting.

  Scenario: Nothing stands in the way of this release
    Then all of this holds
      | what                                                                | where      |
      | the container engine is recent enough                               | everywhere |
      | every secret that the service reads exists                          | everywhere |
      | nobody else releases the service                                    | cloud      |
      | the service can be reached by those who should reach it             | cloud      |
      | one revision serves every user                                      | cloud      |
      | the baseline could start again                                      | cloud      |
      | every probe of the canary is answered as it should be               | everywhere |
      | every step of the canary could see a regression                     | everywhere |

  Scenario: One release of the service at a time
    When the release claims the service
    Then nobody else can release it

  Scenario: The way back is known before anything moves
    When the service is read as it serves now
    Then one revision serves every user

  @rehearsal
  Scenario: The image is built
    When the image is built
    Then the image stays within its size limit

  @cloud
  Scenario: The registry holds the bytes that were rehearsed
    When the rehearsed image is pushed
    Then the registry holds the rehearsed image, by its digest

  Scenario: The candidate starts without traffic
    When the candidate is deployed
    Then it is ready within its time limit
    And the baseline serves every user
    And the service is reachable by exactly those who should reach it
    And the candidate's log has no errors

  Scenario: It answers
    Then the candidate answers
      | request                | headers                                           | body                  |
      | GET /health            | content-type = "application/json; charset=utf-8"  | status = ok           |
      | GET /greeting?name=Ada |                                                   | greeting = Hello, Ada |

  Scenario: What it does not know is told
    Then the candidate answers
      | request | status | body              |
      | GET /   | 404    | error = not found |

  Scenario: It proves itself on a growing share of users, and is promoted
    Given these objectives of the canary
      | measure    | at most |
      | error rate | 5 %     |
    When the candidate's share rises by its steps
    Then every step has passed its objectives
    When the candidate is promoted
    Then the candidate serves every user

  @record
  Scenario: The release leaves its record
    When the record is written
    Then it says what was released, how it was proven and how to roll back
