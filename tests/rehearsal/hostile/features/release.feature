Feature: Whatever a service answers, its release has an end
  Protects the machine that releases, and the users who wait for the way back.

  Scenario: One release of the service at a time
    When the release claims the service
    Then nobody else can release it

  Scenario: The way back is known before anything moves
    When the service is read as it serves now
    Then one revision serves every user

  Scenario: The image is built
    When the image is built
    Then the image stays within its size limit

  Scenario: The candidate starts without traffic
    When the candidate is deployed
    Then the baseline serves every user
    And the candidate's log has no errors

  Scenario: It is asked
    PROMISE

  Scenario: It is promoted
    When the candidate is promoted
    Then the candidate serves every user
