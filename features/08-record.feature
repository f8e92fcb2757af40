Feature: What was done is written down
  Protects those who come later: what served when, why, and how to undo it.

  @cloud
  Scenario: Images that nobody needs any more are removed
    When old images are removed from the registry
    Then baseline and candidate still have theirs

  @record
  Scenario: The release leaves its record
    When the record is written
    Then it tells what was released, how it was proven and how to go back
    And every change of the platform stands in the journal, before and after

  @record @cloud
  Scenario: The record is kept beside those of earlier releases
    When the record is written
    Then it is kept, and the index of all records leads to it
