Feature: The candidate stands beside the baseline, unseen by users
  Protects users from a revision that cannot start, or that is not the one that was meant.

  Scenario: The candidate starts without traffic
    When the candidate is deployed
    Then it is ready within its time limit
    And the baseline serves every user

  Scenario: The candidate is what was asked for
    Then the candidate runs the image of this release
    And the candidate has every setting that release.yaml names
    And no variable of the baseline is lost
    And the service is reachable by exactly those who should reach it

  Scenario: The candidate's log tells of a healthy start
    Then the candidate's log has the lines
      | line                                    |
      | MemoryTaskQueue started with 2 workers  |
      | Worker 0 started                        |
      | Application startup complete            |
    And the candidate's log has no errors

  @drill
  Scenario Outline: A candidate that <fault> is stopped before any user meets it
    Given a candidate with the fault "<faults>"
    When the drill is released
    Then it is stopped at its <stage> because "<reason>"
    And the drill's baseline serves every user

    Examples:
      | fault                | faults         | stage      | reason                              |
      | crashes at start     | crash-at-start | deployment | failed the configured startup probe |
      | says nothing         | silent         | log        | Application startup complete        |
      | logs errors          | error-lines    | log        | ERROR                               |

  @drill
  Scenario: A candidate that never gets ready is stopped before any user meets it
    Given a candidate with the fault "never-listens", and 3 s to start
    When the drill is released
    Then it is stopped at its deployment because "failed the configured startup probe"
    And the drill's baseline serves every user
