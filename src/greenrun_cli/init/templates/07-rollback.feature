Feature: The way back
  Protects users when a gate closes: they are served as before, and that is proven.

  @way-back
  Scenario: A closed gate sends every user back to the baseline
    When every user is sent back
    Then users are served as before the release

  @delete-candidate
  Scenario: The candidate that was rolled back is deleted
    When the candidate that was rolled back is deleted
    Then no such revision is left

  @scale-to-zero
  Scenario: In an emergency every instance ends
    When the service is scaled to zero
    Then users are told that the service is unavailable

  @drill
  Scenario: A promoted candidate can be rolled back, and twice is once
    Given these objectives of the canary
{{ table(objectives[:2]) }}
    And a candidate without a fault
    When the drill is released to users
    And the drill is rolled back
    Then the drill's baseline serves every user
    And rolling back again changes nothing
