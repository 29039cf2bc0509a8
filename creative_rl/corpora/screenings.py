"""Screenings of films made by a rule: what there is to book without a file of one's own."""

import numpy as np

SLOTS = ("movie", "theater", "city", "date", "time", "genre", "format", "rating", "price")
_FILMS = (  # title, genre, rating
    ("The Paper Lantern", "drama", "PG"),
    ("Seven Quiet Rooms", "thriller", "R"),
    ("Salt and Starlight", "romance", "PG-13"),
    ("The Clockmaker", "family", "G"),
    ("Harbour of Foxes", "adventure", "PG"),
    ("Midnight Arithmetic", "thriller", "PG-13"),
    ("A Winter Orchard", "drama", "PG-13"),
    ("The Last Tram Home", "comedy", "PG"),
    ("Copper Sky", "western", "R"),
    ("Two Left Shoes", "comedy", "G"),
    ("Beneath the Glacier", "adventure", "PG-13"),
    ("The Borrowed Voice", "romance", "R"),
)
_THEATERS = (  # name, city
    ("the Aurora", "Linfield"),
    ("the Old Mill", "Linfield"),
    ("the Meridian", "Port Ansel"),
    ("the Lighthouse", "Port Ansel"),
    ("the Regent", "Easterby"),
    ("the Blue Door", "Easterby"),
    ("the Corona", "Halden"),
    ("the Granary", "Halden"),
    ("the Observatory", "Mossgate"),
    ("the Palace", "Mossgate"),
)
_DATES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIMES = ("14:00", "15:30", "17:00", "18:30", "19:15", "20:00", "21:30", "22:15")
_FORMATS = ("2D", "3D", "IMAX")
_PRICES = ("8 dollars", "10 dollars", "12 dollars", "15 dollars")


def screenings(num_rows: int, seed: int) -> list[tuple[str, ...]]:
    """`num_rows` different screenings, values in the order of `SLOTS`.

    A theater is in one city, a film has one genre and one rating; all else is uniform.
    """
    generator = np.random.default_rng(seed)
    found: dict[tuple[str, ...], None] = {}
    while len(found) < num_rows:
        film, genre, rating = _FILMS[generator.integers(len(_FILMS))]
        theater, city = _THEATERS[generator.integers(len(_THEATERS))]
        date, time, form, price = (
            values[generator.integers(len(values))]
            for values in (_DATES, _TIMES, _FORMATS, _PRICES)
        )
        found[film, theater, city, date, time, genre, form, rating, price] = None
    return list(found)
