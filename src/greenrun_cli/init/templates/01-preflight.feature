Feature: Nothing starts on a doubt
  Protects everybody who uses the service now: a release that could not be taken back does not begin.

  @plan
  Scenario: Nothing stands in the way of this release
    Then all of this holds
{{ table(preflight) }}

  @plan @cloud
  Scenario: What will happen is told before it does
    Then the plan says what serves now, what would change and how to roll it back

  Scenario: One release of the service at a time
    When the release claims the service
    Then nobody else can release it

  @cloud
  Scenario: What a killed release has left is dealt with first
    When an unfinished release is rolled back or resumed
    Then nothing is left unfinished

  Scenario: The way back is known before anything moves
    When the service is read as it serves now
    Then one revision serves every user
    And it is the baseline of this release
