Feature: What was done is written down
  Protects those who come later: what served when, why, and how to undo it.

  @record
  Scenario: The release leaves its record
    When the record is written
    Then it says what was released, how it was proven and how to roll back
    And the journal holds every change of the platform, before and after

  @record @cloud
  Scenario: The record is kept beside those of earlier releases
    When the record is written
    Then it is kept, and the index of all records leads to it
