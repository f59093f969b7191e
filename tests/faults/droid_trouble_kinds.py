"""What the fake of Factory does wrong, and what has to come of it."""

LIST, ONE, MESSAGES = "/sessions", "/sessions/*", "/sessions/*/messages"
ALWAYS = 1_000_000
# In place of an order: the sessions are removed.
GONE = {"gone": True}
# Longer than the server waits for an answer.
LATE_MS = 61_000


class Kind:
    """Something wrong at these paths: `order` is what the fake is told, `times` how often."""

    def __init__(self, paths, order, times=1, end=None, says="", record=None, started=None, sessions=None, prompt="", slow=False):
        self.paths, self.order, self.times, self.end, self.says, self.prompt, self.slow = paths, order, times, end, says, prompt, slow
        self.record, self.started, self.sessions = record or end, started, sessions

    def orders(self, method, times=None):
        return [{"method": method, "path": path, "times": times or self.times, **self.order} for path in self.paths]

    def __repr__(self):
        return f"{' '.join(self.paths)} {self.order}"


def _watched():
    """What is wrong while droids are watched, and the end that they come to all the same."""
    for order in ({"status": 429}, {"status": 429, "retryAfter": "1"}, {"status": 500}, {"html": "<h1>Bad gateway</h1>"}, {"status": 503, "retryAfter": "1"},
                  {"spoil": "hangup"}, {"spoil": "cut"}, {"spoil": "empty"}, {"spoil": "text"}, {"spoil": "null"}, {"spoil": "key"}, {"spoil": "redirect"}):
        yield Kind([LIST, ONE], order, 4, "finished")
        yield Kind([MESSAGES], order, 4, "finished")
        # An end that is no success is not taken for one because it could not be read at first.
        yield Kind([MESSAGES], order, 2, "failed", prompt="[fake:fail]")
    for spoil in ("skew", "types", "loop", "duplicates", "reversed", "huge"):
        yield Kind([LIST, ONE, MESSAGES], {"spoil": spoil}, ALWAYS, "finished")
    for spoil in ("text", "empty", "null"):
        yield Kind([MESSAGES], {"spoil": spoil}, ALWAYS, "finished", "could not be read")
    yield Kind([LIST, ONE], {"spoil": "status"}, ALWAYS, "lost", "hibernating")
    for status in (401, 403):
        # The key is refused for a while: who waits is told, and the records stay open until it is taken again.
        yield Kind([LIST, ONE], {"status": status}, ALWAYS, "refused", f"Factory API {status}", "finished")
    yield Kind([LIST, ONE], {"spoil": "status"}, 2, "finished")
    yield Kind([], GONE, end="lost", says="does not know")
    yield Kind([LIST, ONE, MESSAGES], {"delayMs": LATE_MS}, 3, "finished", slow=True)


def _started():
    """What is wrong when a droid is started: whether it is told as started, and how many sessions there are."""
    for order, sessions, started, says in (
            ({"status": 500}, 0, False, "500"), ({"status": 502, "after": True}, 1, True, ""), ({"html": "<h1>Bad gateway</h1>"}, 0, False, "502"),
            ({"spoil": "hangup"}, 1, True, ""), ({"spoil": "cut"}, 1, True, ""), ({"spoil": "empty"}, 1, True, ""), ({"spoil": "text"}, 1, True, ""),
            ({"spoil": "null"}, 1, True, ""), ({"spoil": "types"}, 1, True, ""), ({"spoil": "key"}, 1, True, ""), ({"spoil": "redirect"}, 1, True, ""),
            ({"spoil": "skew"}, 1, True, ""), ({"status": 429, "retryAfter": "70"}, 0, False, "Try again in 70 s"), ({"status": 429, "retryAfter": "Fri, 01 Jan 2100 00:00:00 GMT"}, 0, False, "Try again after"),
            ({"status": 401}, 0, False, "FACTORY_API_KEY"), ({"status": 402}, 0, False, "402"), ({"status": 403}, 0, False, "not enabled"), ({"status": 409}, 0, False, "409")):
        yield Kind([LIST], order, started=started, sessions=sessions, says=says)
    for order, started, says in (
            ({"status": 500, "after": True}, True, ""), ({"spoil": "hangup"}, True, ""), ({"spoil": "cut"}, True, ""), ({"spoil": "empty"}, True, ""),
            ({"spoil": "key"}, True, ""), ({"spoil": "types"}, True, ""), ({"spoil": "redirect"}, True, ""), ({"status": 500}, False, "its prompt was not taken"),
            ({"status": 429, "retryAfter": "70"}, False, "its prompt was not taken"), ({"status": 401}, False, "FACTORY_API_KEY")):
        yield Kind([MESSAGES], order, started=started, sessions=1, says=says)
    yield Kind([LIST], {"delayMs": LATE_MS}, started=False, sessions=0, says="did not answer", slow=True)
    yield Kind([MESSAGES], {"delayMs": LATE_MS}, started=False, sessions=1, says="its prompt was not taken", slow=True)
    yield Kind([LIST], {"delayMs": LATE_MS, "after": True}, started=True, sessions=1, slow=True)
    yield Kind([MESSAGES], {"delayMs": LATE_MS, "after": True}, started=True, sessions=1, slow=True)


WATCHED = list(_watched())
STARTED = list(_started())
