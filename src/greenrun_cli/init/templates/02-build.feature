Feature: One image, built once
  Protects the promise of the rehearsal: the bytes that were proven are the bytes that users get.

  @rehearsal
  Scenario: The image is built within its budgets
    When the image is built
    Then it is for the platform that release.yaml names
    And the build finished within its time limit
    And the image stays within its size limit

  Scenario: The image can be deployed anywhere
    Then the image contains no secret

  @cloud
  Scenario: The registry holds the bytes that were rehearsed
    When the rehearsed image is pushed
    Then the registry holds the rehearsed image, by its digest
