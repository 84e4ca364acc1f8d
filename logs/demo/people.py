"""Defines the invented people and teams of the demo. Their e-mail addresses cannot belong to anybody."""

import unicodedata
from dataclasses import dataclass

from teams.models import Role

# Letters that Unicode does not decompose into a Latin letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "ı": "i", "đ": "d", "ß": "ss", "'": "", " ": "."})


@dataclass(frozen=True)
class Person:
    """A member of a team. Days are counted back from now; None means a member since before the demo, or still a
    member.
    """

    name: str
    role: Role = Role.MEMBER
    joined_days_ago: int | None = None
    left_days_ago: int | None = None

    @property
    def email(self) -> str:
        plain = unicodedata.normalize("NFKD", self.name.lower().translate(_LETTERS))
        return plain.encode("ascii", "ignore").decode() + "@example.org"


@dataclass(frozen=True)
class TeamPlan:
    """A team of the demo. `calls` is its number of calls in 90 days; `growth` the ratio of calls at the end to
    calls at the start.
    """

    name: str
    slug: str
    description: str
    time_zone: str
    calls: int
    growth: float
    people: tuple[Person, ...]


def _members(names: str) -> tuple[Person, ...]:
    return tuple(Person(name.strip()) for name in names.split(","))


RESEARCH = TeamPlan(
    name="Harbour Research",
    slug="harbour-research",
    description="Logistics models for ports and the ships that call at them.",
    time_zone="Europe/Berlin",
    calls=107_000,
    growth=1.9,
    people=(
        Person("Maren Okafor", Role.OWNER),
        Person("Dana Whitfield", Role.ADMINISTRATOR),
        Person("Priya Raman", Role.ADMINISTRATOR),
        Person("Leo Brandt"),
        Person("Lotte van den Berg", joined_days_ago=12),
        Person("Viktor Sandoval", left_days_ago=20),
        *_members(
            "Tomasz Wiśniewski, Maximiliano Fernández-Santisteban, Inês Carvalho, Yusuf Demir, Jonas "
            "Lindqvist, Aiko Tanabe, Chidi Eze, Noor Haddad, Mateo Quispe, Freya Sørensen, Wei-Ling Zhou, "
            "Anahit Petrosyan, Samuel Adeyemi, Klára Novotná, Rashid Karimi, Hanna Virtanen, Dmytro "
            "Shevchuk, Leilani Kahale, Oluwaseun Bankole, Beatriz Moura, Kofi Mensah, Ingrid Haugen, "
            "Tariq Mansour, Niamh O'Connell, Giulia Ferrante, Jae-won Seo, Zsófia Kelemen, Emre Yıldız, "
            "Thandiwe Dube, Pavel Horák, Sofía Restrepo, Arjun Menon, Nguyễn Thị Mai, Elias Brückner, "
            "Amara Diallo"
        ),
    ),
)
SPEECH = TeamPlan(
    name="Speech Lab",
    slug="speech-lab",
    description="Dialogue and transcripts for people who would rather talk.",
    time_zone="America/New_York",
    calls=28_000,
    growth=1.4,
    people=(
        Person("Grace Whitcomb", Role.OWNER),
        Person("Leo Brandt", Role.ADMINISTRATOR),
        *_members(
            "Marcus Delgado, Aaliyah Freeman, Ethan Kowalczyk, Soo-min Pak, Rosa Jiménez, Caleb Nakai, "
            "Fatima Siddiqui, Owen Tremblay, Miriam Goldfarb, Deshawn Porter"
        ),
    ),
)
INTERPRETERS = TeamPlan(
    name="Civic Interpreters",
    slug="civic-interpreters",
    description="Letters from town halls, in the words of those who get them.",
    time_zone="Asia/Kolkata",
    calls=9_000,
    growth=1.1,
    people=(
        Person("Kavya Iyer", Role.OWNER),
        Person("Rohan Deshpande", Role.ADMINISTRATOR),
        Person("Maren Okafor"),
    ),
)
TEAMS = (RESEARCH, SPEECH, INTERPRETERS)
PERSONAL_CALLS = 6_000  # in 90 days, in all personal spaces together
PERSONAL_GROWTH = 1.2

# The people one signs in as to look at the demo, named by their roles in the largest team.
OWNER, ADMINISTRATOR, MEMBER = RESEARCH.people[0], RESEARCH.people[1], RESEARCH.people[3]


def everybody() -> dict[str, str]:
    """Returns each person's name by e-mail address, in a fixed order; somebody in two teams occurs once."""
    return {person.email: person.name for team in TEAMS for person in team.people}


def home_zone(email: str) -> str:
    """Returns the time zone that the demo gives a person's personal space: that of the first team in TEAMS that
    lists them.
    """
    return next(team.time_zone for team in TEAMS if email in {person.email for person in team.people})
