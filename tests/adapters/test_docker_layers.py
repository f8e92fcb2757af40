"""How far a push is, read off the engine's events."""

from greenrun.adapters.docker.push import Layers


def event(layer: str, status: str, current: int = 0, total: int = 0) -> dict[str, object]:
    detail = {"current": current, "total": total} if total else {}
    return {"id": layer, "status": status, "progressDetail": detail}


def told(*events: dict[str, object]) -> str:
    layers = Layers()
    for one in events:
        assert layers.read(one)
    return str(layers)


def test_layers_and_their_bytes_are_counted() -> None:
    assert (
        told(
            event("base", "Preparing"),
            event("code", "Waiting"),
            event("data", "Preparing"),
            event("base", "Layer already exists"),
            event("code", "Pushing", 3 * 10**6, 8 * 10**6),
            event("data", "Pushing", 10**6, 2 * 10**6),
            event("data", "Pushed"),
        )
        == "2 of 3 layers, 5.0 MB of 10.0 MB"
    )


def test_the_padding_of_a_layer_is_none_of_its_bytes() -> None:
    assert told(event("a", "Pushing", 10240, 10)) == "0 of 1 layers, 0.0 MB of 0.0 MB"


def test_a_layer_from_another_repository_is_there() -> None:
    assert told(event("a", "Mounted from team/base")) == "1 of 1 layers, 0.0 MB of 0.0 MB"


def test_what_holds_a_layer_up_is_told_until_it_goes_on() -> None:
    waiting = event("a", "Retrying in 5 seconds")
    assert told(waiting) == "0 of 1 layers, 0.0 MB of 0.0 MB: Retrying in 5 seconds"
    assert told(waiting, event("a", "Pushed")) == "1 of 1 layers, 0.0 MB of 0.0 MB"


def test_what_is_about_no_layer_changes_nothing() -> None:
    layers = Layers()
    assert not layers.read({"status": "The push refers to repository [127.0.0.1:5000/app]"})
    assert (layers.done, layers.held_up) == (0, False)
