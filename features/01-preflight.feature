Feature: Nothing starts on a doubt
  Protects everybody who uses the service now: a release that could not be taken back does not begin.

  @plan
  Scenario: Nothing stands in the way of this release
    Then all of this holds
      | what                                                             | where      |
      | the container engine is recent enough                            | everywhere |
      | everything that the image is built from is there                 | everywhere |
      | neither env.yaml nor what the image is built from contains a secret  | everywhere |
      | every secret that the service reads exists                       | everywhere |
      | the tree is clean, on its branch and in step with its remote     | cloud      |
      | the expected commits are in                                      | cloud      |
      | the quality gates pass                                           | cloud      |
      | credentials exist, with every permission that the release needs  | cloud      |
      | nobody else releases the service                                 | cloud      |
      | the service can be reached by those who should reach it          | cloud      |
      | one revision serves every user                                   | cloud      |
      | the baseline could start again                                   | cloud      |
      | every probe of the canary is answered as it should be            | everywhere |
      | every step of the canary could see a regression                  | everywhere |

  @plan @cloud
  Scenario: What will happen is told before it does
    Then the plan says what serves now, what would change and how to roll it back

  Scenario: One release of the service at a time
    When the release claims the service
    Then nobody else can release it

  @cloud
  Scenario: What a killed release has left is dealt with first
    When an unfinished release is rolled back or resumed
    Then nothing is left unfinished

  Scenario: The way back is known before anything moves
    When the service is read as it serves now
    Then one revision serves every user
    And it is the baseline of this release
