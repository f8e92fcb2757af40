Feature: Nothing starts on a doubt
  Protects everybody who uses the service now: a release that could not be taken back does not begin.

  Scenario: The way back is known before anything moves
    When the service is read as it serves now
    Then one revision serves every user
    And it is the baseline of this release

  Scenario: What the release needs is there
    Then the container engine is recent enough
    And the Dockerfile makes an image that listens where requests arrive
    And every secret that the service reads exists
