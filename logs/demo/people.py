"""The invented people and teams of the demo, with addresses that nobody can have."""

import unicodedata
from dataclasses import dataclass

from teams.models import Role

# Letters that do not come apart into a Latin letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "ı": "i", "đ": "d", "ß": "ss", "'": "", " ": "."})


@dataclass(frozen=True)
class Person:
    """A member of a team. Days are counted back from now; None: since before the demo, or still there."""

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
    """A team: its calls in 90 days, and the ratio of calls at the end to calls at the start."""

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
PERSONAL_CALLS = 6_000  # of everybody together, in their personal spaces
PERSONAL_GROWTH = 1.2

# Who shows the site: the same three words as the roles they have in the largest team.
OWNER, ADMINISTRATOR, MEMBER = RESEARCH.people[0], RESEARCH.people[1], RESEARCH.people[3]


def everybody() -> dict[str, str]:
    """Each person's name by e-mail address, in a fixed order; some are in two teams."""
    return {person.email: person.name for team in TEAMS for person in team.people}


def home_zone(email: str) -> str:
    """The time zone of the first team that somebody is in, which their personal space uses."""
    return next(team.time_zone for team in TEAMS if email in {person.email for person in team.people})
