Feature: Users move to the candidate a share at a time
  Protects most users from what only real requests bring to light.

  Background:
    Given these objectives of the canary
{{ table(objectives) }}

  Scenario: The candidate proves itself on a growing share of users
    When the candidate's share rises by its steps
    Then every step has passed its objectives

  Scenario: The candidate is promoted
    When the candidate is promoted
    Then the candidate serves every user
    And the baseline is kept without traffic
    And the service answers
{{ table(service) }}
{%- if logs %}
    And the candidate's log has stayed clean
{%- endif %}
