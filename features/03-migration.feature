Feature: The schema moves first, and old code survives it
  Protects the users of the baseline, who go on while the schema changes beneath it, and the way back.

  Scenario: Pending migrations are applied before any traffic moves
    When the migrations of the image are applied
    Then no migration is pending
    And the data pass the image's own check
    And the baseline serves every user

  Scenario: The baseline still works on the migrated schema
    Then the baseline answers
      | request                                          | body               |
      | GET /api/health                                  | status = ok        |
      | GET /api/dashboard/costs/summary                 | has messages.total |
      | GET /api/dashboard/timeline/costs?period=7d      | 8 entries          |

  @drill
  Scenario: A migration that fails stops the release
    Given a candidate whose migrations are "failing"
    When the drill is released
    Then it is stopped at its migration because "could not apply the migrations"
    And the drill's baseline serves every user

  @drill
  Scenario: A migration that the baseline would not survive is not applied
    Given a candidate whose migrations are "contracting"
    When the drill is released
    Then it is stopped at its migration because "contracts by 20261101_drop_usd"
    And the drill's baseline serves every user
