from greenrun.plugin.allure.evidence import AllureEvidence


def test_evidence_where_nobody_writes_results_is_let_go() -> None:
    AllureEvidence(str).attach("nobody", "listens")


def test_where_nothing_runs_here_is_beside_all_tests() -> None:
    evidence = AllureEvidence(str)
    evidence.here().attach("nobody", "listens")
