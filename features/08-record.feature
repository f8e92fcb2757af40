Feature: What was done is written down
  Protects those who come later: what served when, why, and how to undo it.

  @record
  Scenario: The release leaves its record
    When the record is written
    Then it tells the image, both revisions and how to go back
    And every change of the platform stands in the journal, before and after
