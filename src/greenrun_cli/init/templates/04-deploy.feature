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
{%- if logs %}

  Scenario: The candidate's log tells of a healthy start
    Then the candidate's log has no errors
{%- endif %}
