"""A contender of the races against other libraries, for their tests."""


class Contender:
    """Takes `seconds` for a step, half as long again in every further round."""

    def __init__(self, seconds, versions, steps=10):
        self.seconds, self.steps = seconds, steps
        build = {"trace": 1.0, "compile": 2.0}
        self.about = {"device": "cpu", "build": build, "versions": versions}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def run(self, unit, number):
        assert unit == "update"
        seconds = self.steps * self.seconds * (1 + number / 2)
        return {"steps": self.steps, "seconds": seconds, **self.told(number, seconds)}

    def told(self, number, seconds):
        """What it reports beside the clock."""
        return {"loss": 1.0}

    def stop(self):
        return {"peak_mib": 100.0}
