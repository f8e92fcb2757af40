"""Probes carry an identity, are sampled, and find out who answers."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Lock

import pytest

from greenrun.checks.http.endpoints import ENDPOINTS
from greenrun.checks.http.flow import FLOW
from greenrun.checks.http.verification import verify
from greenrun.checks.pages import PAGES
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed, ReleaseError
from greenrun.model.interfaces import HttpClient, HttpRequest, HttpResponse
from greenrun.model.plan import Probe
from greenrun.release.prober import Prober
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.fakes import URL, FakeClock, FakeWeb


class Crowd(FakeWeb):
    """Answers when that many requests are there together; remembers how many there were."""

    def __init__(self, together: int, answers: dict[str, HttpResponse]) -> None:
        super().__init__({**answers})
        self.most = self._under_way = 0
        self._counting = Lock()
        self._barrier = Barrier(together)

    def send(self, request: HttpRequest) -> HttpResponse:
        with self._counting:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        if "alone" not in request.url:
            self._barrier.wait(timeout=10)
        with self._counting:
            self._under_way -= 1
        return super().send(request)


class Slow(FakeWeb):
    """Every answer takes a second of a clock."""

    def __init__(self, clock: FakeClock, answers: dict[str, HttpResponse]) -> None:
        super().__init__({**answers})
        self._clock = clock

    def send(self, request: HttpRequest) -> HttpResponse:
        assert request.within is not None
        self._clock.sleep(min(request.within, SECOND))
        if request.within < SECOND:
            raise CallFailed("nothing came")
        return super().send(request)


class Deaf(FakeWeb):
    """Some paths are never answered."""

    def send(self, request: HttpRequest) -> HttpResponse:
        if request.url.endswith("/deaf"):
            raise CallFailed(f"got no answer to GET {request.url}")
        return super().send(request)


SECOND = timedelta(seconds=1)
FINE = HttpResponse(200, {}, "{}", timedelta(milliseconds=5))


def prober(world: World, web: HttpClient, features: Path = Path()) -> Prober:
    identities = {"a user": {"authorization": "Bearer x"}}
    return Prober(replace(world.dependencies, web=web), identities, features)


def test_a_latency_is_sampled_after_a_warm_up(release: Release, world: World) -> None:
    verify(release.prober, URL, ENDPOINTS.read([["request", "p95 at most"], ["GET /", "100 ms"]]))
    assert len(world.web.asked) == 21
    told = str(world.evidence.kept["requests and answers"])
    assert "200, p50 5.0 ms, p95 5.0 ms of 20 requests after 1 warm-up" in told


def test_a_request_without_a_latency_is_sent_once(release: Release, world: World) -> None:
    verify(release.prober, URL, ENDPOINTS.read([["request"], ["GET /"]]))
    assert len(world.web.asked) == 1


def test_eight_are_asked_for_at_the_same_time(world: World) -> None:
    paths = [f"/{number}" for number in range(16)]
    web = Crowd(8, dict.fromkeys(paths, FINE))
    rows = ENDPOINTS.read([["request"], *([f"GET {path}"] for path in paths)])
    verify(prober(world, web), URL, rows)
    assert web.most == 8
    assert sorted(probe.url for probe in web.asked) == sorted(URL + path for path in paths)


def test_what_is_timed_is_asked_for_last_and_alone(world: World) -> None:
    web = Crowd(1, {"/alone": FINE, "/": FINE})
    rows = [["GET /alone", "1 s"], ["GET /", ""], ["GET /alone", "1 s"]]
    verify(prober(world, web), URL, ENDPOINTS.read([["request", "p50 at most"], *rows]))
    assert web.most == 1
    assert [probe.url for probe in web.asked] == [f"{URL}/"] + 42 * [f"{URL}/alone"]


def test_broken_promises_are_told_in_the_order_of_the_table(world: World) -> None:
    web = Crowd(1, {})
    rows = [[f"GET /{'alone' if number % 3 else ''}{number}"] for number in range(20)]
    with pytest.raises(GateClosed) as told:
        verify(prober(world, web), URL, ENDPOINTS.read([["request"], *rows]))
    lines = told.value.message.splitlines()
    assert [line.split(" as ")[0] for line in lines] == [row for (row,) in rows]


def test_a_message_can_be_read_however_much_is_broken(world: World) -> None:
    rows = ENDPOINTS.read([["request"], *([f"GET /{number}"] for number in range(60))])
    with pytest.raises(GateClosed) as told:
        verify(prober(world, FakeWeb()), URL, rows)
    lines = told.value.message.splitlines()
    assert len(lines) == 51
    assert lines[-1] == "and 10 more, in the report"
    kept = str(world.evidence.kept["requests and answers"])
    assert kept.count("broken: ") == 60


def test_no_answer_hides_no_other_fault(world: World) -> None:
    rows = ENDPOINTS.read([["request"], ["GET /deaf"], ["GET /"], ["GET /gone"]])
    with pytest.raises(GateClosed) as told:
        verify(prober(world, Deaf({"/": FINE})), URL, rows)
    assert told.value.message == (
        f"got no answer to GET {URL}/deaf\nGET /gone as a user: got status 404, needs 200"
    )


def test_a_service_that_answers_nothing_cannot_be_judged(world: World) -> None:
    rows = ENDPOINTS.read([["request"], ["GET /deaf"], ["GET /a/deaf"]])
    with pytest.raises(CallFailed) as told:
        verify(prober(world, Deaf()), URL, rows)
    assert told.value.message.splitlines() == [
        f"got no answer to GET {URL}/deaf",
        f"got no answer to GET {URL}/a/deaf",
    ]


def test_all_answers_have_one_deadline(world: World) -> None:
    rows = ENDPOINTS.read([["request", "p50 at most"], ["GET /", "1 s"], ["GET /", "1 s"]])
    begun = world.clock.now()
    within = timedelta(seconds=25.5)
    with pytest.raises(DeadlineExceeded) as told:
        verify(prober(world, Slow(world.clock, {"/": FINE})), URL, rows, within=within)
    assert told.value.message == ("waited 25.5 s for answers to GET / as a user, last saw: 4 of 21")
    assert world.clock.now() - begun == within


def test_a_deadline_hides_no_broken_promise(world: World) -> None:
    rows = ENDPOINTS.read([["request", "requests"], ["GET /gone", "1"], ["GET /", "9"]])
    with pytest.raises(GateClosed, match="/gone as a user: got status 404, needs 200"):
        verify(prober(world, Slow(world.clock, {"/": FINE})), URL, rows, within=3 * SECOND)


def test_an_error_of_ours_is_not_lost_in_a_thread(world: World) -> None:
    class Broken(FakeWeb):
        def send(self, request: HttpRequest) -> HttpResponse:
            raise LookupError(request.url)

    with pytest.raises(LookupError):
        verify(prober(world, Broken()), URL, ENDPOINTS.read([["request"], *[["GET /"]] * 9]))


def test_a_schema_is_found_beside_the_features(world: World, tmp_path: Path) -> None:
    (tmp_path / "costs.json").write_text(json.dumps({"required": ["total"]}))
    rows = ENDPOINTS.read([["request", "schema"], ["GET /", "costs.json"]])
    with pytest.raises(GateClosed, match=r"schema costs.json: \$: got {}, needs the keys total"):
        verify(prober(world, FakeWeb({"/": FINE}), tmp_path), URL, rows)


@pytest.mark.parametrize(("column", "cell"), [("schema", "missing.json"), ("as", "somebody else")])
def test_nothing_is_asked_where_a_row_cannot_be_judged(
    world: World, column: str, cell: str
) -> None:
    web = FakeWeb({"/": FINE})
    with pytest.raises(ReleaseError):
        verify(prober(world, web), URL, ENDPOINTS.read([["request", column], ["GET /", cell]]))
    assert web.asked == []


def test_every_broken_endpoint_is_told_at_once(release: Release, world: World) -> None:
    table = ENDPOINTS.read([["request"], ["GET /a"], ["GET /"], ["GET /b"]])
    with pytest.raises(GateClosed) as told:
        verify(release.prober, URL, table)
    assert told.value.message == (
        "GET /a as a user: got status 404, needs 200\nGET /b as a user: got status 404, needs 200"
    )
    assert "GET / as a user" in str(world.evidence.kept["requests and answers"])


def test_an_identity_that_nobody_declared(release: Release) -> None:
    with pytest.raises(ReleaseError, match="got identity 'a ghost', needs one of: a user"):
        release.prober.headers("a ghost")


def test_who_answers_is_asked_of_the_request_log(release: Release, world: World) -> None:
    assert release.prober.answering(URL, Probe()) == {BASELINE}
    agents = {probe.headers["User-Agent"] for probe in world.web.asked}
    assert len(agents) == 1
    assert len(world.web.asked) == 10


def test_a_request_log_that_stays_empty_has_a_deadline(release: Release, world: World) -> None:
    world.logs.answering = list
    begun = world.clock.now()
    world.web.answers["/"] = HttpResponse(404, {}, "", timedelta(milliseconds=1))
    with pytest.raises(DeadlineExceeded) as late:
        release.prober.answering(URL, Probe())
    assert str(late.value) == (
        "waited 60 s for 10 requests in the request log, "
        f"last saw: 0 of them; GET / at {URL} answered 404 (10 times)\n"
        "hint: see the service's ingress: what it turns away is answered, and not logged"
    )
    assert world.clock.now() - begun >= timedelta(seconds=60)


POSTED = ["request", "sends", "requests", "p95 at most"]


def test_a_row_sends_its_body_with_each_request(release: Release, world: World) -> None:
    rows = ENDPOINTS.read([POSTED, ["POST /", 'text = "a"; limit = 3', "3", "1 s"]])
    verify(release.prober, URL, rows)
    assert [(probe.method, probe.json, probe.files) for probe in world.web.asked] == 4 * [
        ("POST", {"text": "a", "limit": 3}, {})
    ]
    told = str(world.evidence.kept["requests and answers"]).splitlines()
    assert told[:2] == ["POST / as a user", '  > {"text": "a", "limit": 3}']


def test_files_and_a_get_with_a_body_are_sent_as_in_a_flow(release: Release, world: World) -> None:
    rows = [["POST /", 'file as maps.txt = "I; love"'], ["GET /", "a = 1"]]
    verify(release.prober, URL, ENDPOINTS.read([["request", "sends"], *rows]))
    posted, got = sorted(world.web.asked, key=lambda probe: probe.method, reverse=True)
    assert (posted.json, posted.files) == (None, {"file": ("maps.txt", "I; love")})
    assert (got.json, got.files) == ({"a": 1}, {})
    told = str(world.evidence.kept["requests and answers"])
    assert "  > file, file maps.txt: I; love" in told


def test_a_unique_value_is_that_of_its_table(release: Release, world: World) -> None:
    row = ["POST /", "text = {unique}", "2", ""]
    for _ in range(2):
        verify(release.prober, URL, ENDPOINTS.read([POSTED, row, row]))
    sent = [str(probe.json) for probe in world.web.asked]
    assert [sent.count(one) for one in dict.fromkeys(sent)] == [4, 4]
    told = str(world.evidence.kept["requests and answers"])
    assert json.dumps(world.web.asked[-1].json) in told


def test_a_body_is_handed_on_whole_so_that_a_secret_in_it_can_be_found(
    release: Release, world: World
) -> None:
    long = "x" * 10_000 + "s3cret"
    rows = ENDPOINTS.read([["request", "sends"], ["POST /", f"text = {long}"]])
    verify(release.prober, URL, rows)
    assert json.dumps({"text": long}) in str(world.evidence.kept["requests and answers"])
    assert "s3cret" not in repr(rows)


def test_credentials_do_not_show_in_what_is_kept(release: Release, world: World) -> None:
    world.web.answers["/"] = HttpResponse(200, {}, "fine", timedelta(milliseconds=1))
    verify(release.prober, URL, ENDPOINTS.read([["request"], ["GET /"]]))
    assert "Bearer x" not in str(world.evidence.kept)
    assert "Bearer x" not in repr(world.web.asked)


def test_a_path_that_the_platform_answers_itself_is_refused_unless_that_is_what_is_wanted() -> None:
    table = [["request", "status"], ["GET /healthz", ""], ["GET /eventlog?a=1", "200 or 204"]]
    with pytest.raises(ReleaseError) as refused:
        ENDPOINTS.read(table)
    assert str(refused.value).splitlines() == [
        f"table of endpoints, row {row}: request: got {path}, which Google's front end answers "
        "with 404 on run.app, needs another path"
        for row, path in ((1, "/healthz"), (2, "/eventlog?a=1"))
    ]
    with pytest.raises(ReleaseError, match="row 1: request: got /healthz, which Google's front"):
        FLOW.read([["request"], ["GET /healthz"]])
    with pytest.raises(ReleaseError, match="needs another path: Google's front end answers it"):
        PAGES.read([["page", "shows"], ["/healthz", ""]])
    assert len(ENDPOINTS.read([table[0], ["GET /healthz", "404"], ["GET /healthz/", ""]])) == 2


def test_a_probe_that_hangs_is_not_tried_for_ever(release: Release, world: World) -> None:
    def hanging(_: HttpRequest) -> HttpResponse:
        world.clock.sleep(timedelta(seconds=20))
        raise CallFailed("got no answer to GET /: nothing within 20 s")

    world.web.answers["/"] = hanging
    found = release.prober.failing(URL, {"GET /": Probe()})
    assert found == {"GET /": "got no answer to GET /: nothing within 20 s, needs 2xx or 3xx"}
    assert len(world.web.asked) == 2
