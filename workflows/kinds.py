"""What a letter can be, and which of the kinds shares which rule."""

from enum import StrEnum


class PetitionKind(StrEnum):
    """Kind of a letter by its content, not by its title."""

    COMPLAINT = "complaint"  # khiếu nại
    DENUNCIATION = "denunciation"  # tố cáo
    RECOMMENDATION = "recommendation"  # kiến nghị
    FEEDBACK = "feedback"  # phản ánh
    MIXED = "mixed"  # must be split before it is handled


class Channel(StrEnum):
    """How a letter arrived."""

    ONLINE = "online"
    DESK = "desk"
    POST = "post"
    RECEPTION_SESSION = "reception_session"
    FORWARDED = "forwarded"


class Round(StrEnum):
    """First or second settlement of a complaint (giải quyết lần đầu, lần hai)."""

    FIRST = "first"
    SECOND = "second"
