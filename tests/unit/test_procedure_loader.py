"""A procedure file that contradicts itself is refused, and the message says where."""

import pytest

from workflows.errors import BadProcedure
from workflows.procedures import load_all
from workflows.procedures.loader import read_procedure

GOOD = """
code = "T"
label_vi = "Thử"
label_en = "Trial"
revision = "r1"
outside_days = ["hearing"]

[[state]]
code = "START"
label_vi = "Chưa"
label_en = "Not yet"

[[state]]
code = "OPEN"
label_vi = "Mở"
label_en = "Open"

[[state]]
code = "DONE"
label_vi = "Xong"
label_en = "Done"
final = true

[[document]]
code = "note"
label_vi = "Giấy"
label_en = "Note"
form = ""
source = "Luật A"

[[clock]]
name = "clock-start"
label_vi = "Mốc"
events = ["begin"]
source = "Luật A"
effective_from = 2020-01-01

[[deadline]]
name = "answer"
label_vi = "Trả lời"
label_en = "Answer"
length = 5
unit = "working"
anchor = "clock-start"
source = "Luật A"
effective_from = 2020-01-01

[[transition]]
event = "begin"
from = "START"
to = "OPEN"
label_vi = "Bắt đầu"
label_en = "Begin"
actors = ["system"]
starts = ["answer"]
source = "Luật A"
effective_from = 2020-01-01

[[transition]]
event = "finish"
from = "*live"
to = "DONE"
label_vi = "Kết thúc"
label_en = "Finish"
actors = ["commune_chair"]
guard = "reason_given"
documents = ["note"]
ends = ["answer"]
source = "Luật A"
effective_from = 2020-01-01
"""


def test_a_sound_file_is_read():
    read = read_procedure(GOOD)
    assert read.transitions[1].origins == ("OPEN",)


@pytest.mark.parametrize(
    ("change", "to", "complaint"),
    [
        ('to = "OPEN"', 'to = "NOWHERE"', "trạng thái chưa khai báo: NOWHERE"),
        ('from = "START"', 'from = "LIMBO"', "trạng thái chưa khai báo: LIMBO"),
        ('documents = ["note"]', 'documents = ["deed"]', "văn bản chưa khai báo: deed"),
        ('starts = ["answer"]', 'starts = ["reply"]', "thời hạn chưa khai báo: reply"),
        ('guard = "reason_given"', 'guard = "sun_shines"', "điều kiện chưa khai báo: sun_shines"),
        ('actors = ["commune_chair"]', 'actors = ["king"]', "vai trò chưa khai báo: king"),
        ('actors = ["commune_chair"]', "actors = []", "không nói ai được làm"),
        ('events = ["begin"]', 'events = ["birth"]', "sự kiện chưa khai báo: birth"),
        ('anchor = "clock-start"', 'anchor = "moon"', "mốc chưa khai báo: moon"),
        ("length = 5", "length = 0", "ít nhất 1"),
        ('unit = "working"', 'unit = "weeks"', "không đọc được"),
        ('guard = "reason_given"', 'gaurd = "reason_given"', "khóa lạ: gaurd"),
        ('from = "*live"', 'from = "START"', "trạng thái OPEN không có lối ra"),
        ("[[clock]]", "[[watch]]", "cần quy tắc mốc bắt đầu"),
        ('source = "Luật A"\neffective_from = 2020-01-01\n', "effective_from = 2020-01-01\n", ""),
        ('form = ""\nsource = "Luật A"', 'form = ""\nsource = " "', "“note” thiếu căn cứ"),
        (
            "effective_from = 2020-01-01",
            "effective_from = 2020-01-01\neffective_to = 2019-01-01",
            "hết hiệu lực trước khi có hiệu lực",
        ),
        ("length = 5", "length = 5\nextension_days = 3", "nói số ngày và số lần"),
        ("length = 5", "length = 5\nbefore = true\nlength_complex = 9", "đếm ngược"),
        ('ends = ["answer"]', 'extends = ["answer"]', "không được gia hạn"),
        ("length = 5", "length = 5\nneeds_confirmation = true", "phải kèm câu hỏi"),
        ("length = 5", 'length = 5\nquestion = "Sao?"', "phải kèm câu hỏi"),
        ("code =", "code", "không đọc được"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(change, to, complaint):
    assert change in GOOD
    with pytest.raises(BadProcedure, match=complaint or "thiếu căn cứ"):
        read_procedure(GOOD.replace(change, to))


def test_a_state_nobody_can_reach_is_refused():
    orphan = '\n[[state]]\ncode = "LOST"\nlabel_vi = "Lạc"\nlabel_en = "Lost"\nfinal = true\n'
    with pytest.raises(BadProcedure, match="Không có đường nào tới trạng thái LOST"):
        read_procedure(GOOD + orphan)


@pytest.mark.parametrize("heading", ["[[transition]]", "[[deadline]]", "[[clock]]"])
def test_two_rules_for_one_thing_on_one_day_are_refused(heading):
    block = heading + GOOD.split(heading)[-1].split("\n[[")[0]
    with pytest.raises(BadProcedure, match="cùng có hiệu lực một lúc"):
        read_procedure(GOOD + "\n" + block)


def test_the_same_rule_may_follow_its_former_self():
    old, new = "effective_from = 2020-01-01", "effective_from = 2026-07-01"
    block = "[[deadline]]" + GOOD.split("[[deadline]]")[1].split("\n[[")[0]
    ended = block.replace(old, f"{old}\neffective_to = 2026-06-30")
    later = block.replace(old, new).replace("length = 5", "length = 7")
    read = read_procedure(GOOD.replace(block, ended) + "\n" + later)
    assert [rule.length for rule in read.deadlines] == [5, 7]


def test_days_without_any_version_of_a_term_are_refused():
    old, new = "effective_from = 2020-01-01", "effective_from = 2026-07-02"
    block = "[[deadline]]" + GOOD.split("[[deadline]]")[1].split("\n[[")[0]
    ended = block.replace(old, f"{old}\neffective_to = 2026-06-30")
    later = block.replace(old, new)
    with pytest.raises(BadProcedure, match="bỏ trống sau ngày 30/06/2026"):
        read_procedure(GOOD.replace(block, ended) + "\n" + later)


def test_a_spawned_procedure_must_have_a_file(tmp_path):
    (tmp_path / "t.toml").write_text(
        GOOD.replace('to = "DONE"', 'to = "DONE"\nspawns = "KN7"'), encoding="utf-8"
    )
    with pytest.raises(BadProcedure, match="KN7"):
        load_all(tmp_path)
