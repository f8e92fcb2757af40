Feature: The candidate answers as its users expect
  Protects users from a revision that runs and does not work; asked on its own URL, before any user is.

  Scenario: Every endpoint answers{{ ", and soon enough" if timed else "" }}
    Then the candidate answers
{{ table(endpoints, aside) }}
{%- if strangers %}

  Scenario: Strangers are rejected
    Then the candidate answers
{{ table(strangers) }}
{%- endif %}
{%- if pushed %}

  @rehearsal
  Scenario: What is sent is taken
    Then the candidate answers
{{ table(pushed) }}
{%- endif %}
{%- if families %}

  Scenario: The candidate can be watched
    Given the candidate's metrics at "{{ metrics_path }}"
    Then they have at least {{ fewest_families }} families, among them
{{ table(families) }}
{%- endif %}
{%- if openapi %}

  Scenario: The interface is what its document says
    Then every GET in its OpenAPI document "{{ openapi }}" answers as documented
{%- endif %}
