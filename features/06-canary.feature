Feature: Users move to the candidate a share at a time
  Protects most users from what only real requests bring to light.

  Background:
    Given these objectives of the canary
      | measure     | at most |
      | error rate  | 5 %     |
      | p50 latency | 300 ms  |
      | p95 latency | 800 ms  |
      | p99 latency | 2000 ms |

  Scenario: The candidate proves itself on a growing share of users
    When the candidate's share rises by its increments
    Then every increment has passed its objectives

  Scenario: The candidate is promoted
    When the candidate is promoted
    Then the candidate serves every user
    And the baseline is kept without traffic
    And the service answers
      | request                          | body               |
      | GET /api/health                  | status = ok        |
      | GET /api/dashboard/costs/summary | has messages.total |
    And the candidate's log has stayed clean

  @drill
  Scenario Outline: A candidate that <fault> is taken back by itself
    Given a candidate with the fault "<faults>"
    When the drill is released to users
    Then it is stopped at its canary because "<reason>"
    And the drill's baseline serves every user

    Examples:
      | fault          | faults                                   | reason            |
      | fails requests | errors:/api/dashboard/costs/summary:50%  | fail: error rate  |
      | is slow        | slow:/api/dashboard/costs/summary:900ms  | fail: p95 latency |
