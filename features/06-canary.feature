Feature: Users move to the candidate a share at a time
  Protects most users from what only real requests bring to light.

  Background:
    Given these objectives of the canary
      | measure     | at most |
      | error rate  | 5 %     |
      | p50 latency | 300 ms  |
      | p95 latency | 800 ms  |
      | p99 latency | 2000 ms |
      | memory      | 90 %    |

  Scenario: What the candidate is judged by is monitored from now on
    When these objectives and the candidate's own are published to monitoring
    Then every objective that alerts has its alert policy
    And scrape job, alert rules and dashboard exist
    And the candidate exposes every monitored metric
    And publishing them again changes nothing

  Scenario: The candidate proves itself on a growing share of users
    When the candidate's share rises by its steps
    Then every step has passed its objectives

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
  Scenario Outline: A candidate that <fault> is rolled back by itself
    Given a candidate with the fault "<faults>"
    When the drill is released to users
    Then it is stopped at its canary because "<reason>"
    And the drill's baseline serves every user

    Examples:
      | fault                       | faults                                  | reason                          |
      | fails one request in twenty | errors:5%                               | candidate requests failed       |
      | fails 3 of 100 requests     | errors:3%                               | candidate requests failed       |
      | fails at one endpoint only  | errors:/api/dashboard/costs/summary:20% | on GET /api/dashboard/costs/summary |
      | is slow                     | slow:/api/dashboard/costs/summary:900ms | candidate requests took over    |

  @drill
  Scenario: A candidate whose slowest answers take 60 % longer is rolled back by itself
    Given a candidate that makes "/api/dashboard/costs/summary" take 720 ms, where it took 450 ms
    When the drill is released to users
    Then it is stopped at its canary because "p95: rolled back"
    And the drill's baseline serves every user
