"""Saying how far long work is, and stopping it."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from ldam_studio import progress
from ldam_studio.progress import (
    Listener,
    Stage,
    StageWords,
    Stopped,
    in_persons_code,
    per_minute,
    tell,
)


def test_who_does_not_listen_is_not_told():
    tell("working", 1, 2)
    with in_persons_code():
        tell("working")


def test_a_listener_hears_the_work_of_its_thread_only():
    heard: list[Stage] = []
    with Listener(heard.append).heard_on():
        tell("one", 1, 3)
        thread = threading.Thread(target=tell, args=("elsewhere",))
        thread.start()
        thread.join()
    tell("later")
    assert heard == [Stage("one", 1, 3)]


def test_work_ends_at_the_next_word_of_it():
    listener = Listener(lambda _stage: None)
    with listener.heard_on(), pytest.raises(Stopped):
        tell("one")
        listener.stop()
        tell("two")
    with listener.heard_on(), pytest.raises(Stopped), in_persons_code():
        raise AssertionError("is not begun")


def test_code_that_says_nothing_is_stopped_and_nothing_after_it_is():
    listener, inside = Listener(lambda _stage: None), threading.Event()
    ended: list[str] = []

    def work() -> None:
        with listener.heard_on():
            try:
                with in_persons_code():
                    inside.set()
                    while True:
                        try:
                            time.sleep(0.001)
                        except Exception:
                            continue
            except Stopped:
                ended.append("stopped")
        sum(range(10_000))
        ended.append("went on")

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(5)
    listener.stop()
    thread.join(5)
    assert ended == ["stopped", "went on"]


def test_code_that_catches_what_stops_it_is_stopped_again(monkeypatch):
    monkeypatch.setattr(progress, "AGAIN_S", 0.01)
    listener, inside, caught = Listener(lambda _stage: None), threading.Event(), []

    def work() -> None:
        with listener.heard_on(), contextlib.suppress(Stopped), in_persons_code():
            while True:
                try:
                    inside.set()
                    time.sleep(0.001)
                except Stopped:
                    caught.append(1)
                    if len(caught) == 3:
                        raise

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(5)
    listener.stop()
    thread.join(5)
    assert not thread.is_alive() and len(caught) == 3


def test_stopping_after_the_code_does_not_reach_what_follows():
    for _ in range(200):
        listener, reached = Listener(lambda _stage: None), []

        def work(listener: Listener = listener, reached: list[str] = reached) -> None:
            with listener.heard_on():
                try:
                    with in_persons_code():
                        pass
                except Stopped:
                    reached.append("stopped")
            for _ in range(50):
                reached.append("on")

        thread = threading.Thread(target=work)
        thread.start()
        listener.stop()
        thread.join()
        assert reached.count("on") == 50


def test_rates_and_times_are_plain_numbers():
    assert per_minute(241, 12) == "1,205 a minute"
    assert per_minute(7, 120) == "3.5 a minute"
    now = [0.0]
    words = StageWords(lambda: now[0])
    words.of(Stage("drawing", 0, 100))
    now[0] = 60.0
    assert words.of(Stage("drawing", 50, 100)) == "drawing: 50 of 100, about 60 s left"
    assert words.of(Stage("drawing", 10, 100)) == "drawing: 10 of 100, about 9 min left"
    words.of(Stage("waiting for a worker", 50, 100))
    assert words.of(Stage("drawing", 50, 100)) == "drawing: 50 of 100"
    now[0] = 90.0
    assert words.of(Stage("drawing", 60, 100)) == "drawing: 60 of 100, about 2 min left"
