"""The conditions of transitions: named pure functions over what is known of a record.

A guard has a name (used in the TOML), a Vietnamese sentence for the person it refuses, and a test
over `Facts`. Facts are what the operation read from the record; nothing is looked up here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from workflows.kinds import PetitionKind, Round


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the record when a step is tried. Defaults are the cautious answer."""

    # the letter
    kind: PetitionKind | None = None
    round: Round = Round.FIRST
    kind_confirmed: bool = False
    signed: bool = False
    anonymous: bool = False
    clear_evidence: bool = False
    identity_checked: bool = False
    eligible: bool = False
    competent: bool = False
    duplicate: bool = False
    new_facts: bool = False
    guided_before: bool = False
    copied_to_competent_body: bool = False
    forwarded_by_elected_body_or_press: bool = False
    criminal_signs: bool = False
    many_places_or_delegated: bool = False
    part_withdrawn: bool = False
    withdrawal_in_writing: bool = False
    reason_given: bool = False
    result_document: bool = False
    # the complaint
    views_differ: bool = False
    dialogue_held: bool = False
    complex_document: bool = False
    suspension_ground: bool = False
    termination_ground: bool = False
    report_filed: bool = False
    absent_without_reason: bool = False
    first_term_expired: bool = False
    second_complaint_late: bool = False
    authorisation_written: bool = False
    authorisation_certified: bool = False
    # the denunciation
    team_size: int = 0
    team_without_conflict: bool = False
    extension_document: bool = False
    especially_complex: bool = False
    extensions_taken: int = 0
    no_ground_to_continue: bool = False
    identity_removed: bool = False
    protection_in_writing: bool = False
    term_passed: bool = False
    # the reception session
    reason_code: str = ""
    refusal_ground: str = ""
    protection_requested: bool = False
    secrecy_confirmed: bool = False
    points_set: bool = False
    points_notified: bool = False
    links_tested: bool = False
    all_points_connected: bool = False
    gates_met: bool = False
    recorder_running: bool = False
    recording_notice_given: bool = False
    identities_checked: bool = False
    chair_present: bool = False
    minutes_read_back: bool = False
    recordings_sealed: bool = False
    book_entry: bool = False
    incident_note: bool = False
    forbidden_self_recording: bool = False
    retention_reached: bool = False
    destruction_approved: bool = False


LEAST_TEAM = 2
"""NĐ 31/2019/NĐ-CP, Điều 10.3: a verification team has at least two members."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A named condition. `sentence` says why not and what to do next."""

    name: str
    sentence: str
    holds: Callable[[Facts], bool]


_RECOMMENDING = (PetitionKind.RECOMMENDATION, PetitionKind.FEEDBACK)


def is_complaint(facts: Facts) -> bool:
    return facts.kind is PetitionKind.COMPLAINT


def is_denunciation(facts: Facts) -> bool:
    return facts.kind is PetitionKind.DENUNCIATION


def is_recommendation(facts: Facts) -> bool:
    return facts.kind in _RECOMMENDING


def denunciation_may_go_online(facts: Facts) -> bool:
    """NĐ 154/2026/NĐ-CP, Điều 20: no request for protection, and secrecy can be kept."""
    if not is_denunciation(facts):
        return True
    return facts.secrecy_confirmed and not facts.protection_requested


def may_be_transferred(facts: Facts) -> bool:
    """A letter for another body that this body must or may pass on."""
    if not facts.eligible or facts.competent:
        return False
    return not (is_denunciation(facts) and facts.copied_to_competent_body)


def keeps_on_file(facts: Facts) -> bool:
    """Not eligible; an anonymous denunciation with clear evidence goes to inspection instead."""
    if facts.anonymous and facts.clear_evidence:
        return False
    return not facts.eligible


def _dialogue_done(facts: Facts) -> bool:
    """Held, or invited and absent without a good reason (NĐ 155/2026/NĐ-CP, Điều 30.6)."""
    return facts.dialogue_held or facts.absent_without_reason


def _most_extensions(facts: Facts) -> int:
    """Luật Tố cáo 25/2018/QH14, Điều 30: complex once, especially complex twice."""
    if facts.especially_complex:
        return 2
    return 1 if facts.complex_document else 0


def may_open(facts: Facts) -> bool:
    return (
        facts.recorder_running
        and facts.recording_notice_given
        and facts.gates_met
        and facts.identities_checked
        and facts.chair_present
        and denunciation_may_go_online(facts)
    )


def _index(guards: Iterable[Guard]) -> Mapping[str, Guard]:
    return MappingProxyType({guard.name: guard for guard in guards})


GUARDS: Mapping[str, Guard] = _index(
    (
        Guard("is_complaint", "Bước này chỉ dành cho đơn khiếu nại.", is_complaint),
        Guard("is_denunciation", "Bước này chỉ dành cho đơn tố cáo.", is_denunciation),
        Guard(
            "is_denunciation_many_places",
            "Hạn dài chỉ dành cho tố cáo phải kiểm tra ở nhiều nơi hoặc ủy quyền kiểm tra.",
            lambda f: is_denunciation(f) and f.many_places_or_delegated,
        ),
        Guard(
            "is_denunciation_one_place",
            "Hạn này dành cho tố cáo kiểm tra tại một nơi.",
            lambda f: is_denunciation(f) and not f.many_places_or_delegated,
        ),
        Guard("is_recommendation", "Bước này chỉ dành cho kiến nghị, phản ánh.", is_recommendation),
        Guard(
            "is_signed",
            "Đơn chưa có chữ ký hoặc điểm chỉ. Chọn “chờ ký” hoặc mời người gửi đến ký.",
            lambda f: f.signed or f.anonymous,
        ),
        Guard(
            "is_unsigned",
            "Đơn đã ký rồi, hãy chọn “tiếp nhận đơn”.",
            lambda f: not f.signed,
        ),
        Guard(
            "is_signed_now",
            "Chưa ghi nhận chữ ký hoặc điểm chỉ của người gửi. Đánh dấu đã ký rồi làm lại.",
            lambda f: f.signed,
        ),
        Guard(
            "has_kind",
            "Chưa chọn loại đơn. Chọn khiếu nại, tố cáo, kiến nghị hay phản ánh; "
            "đơn nhiều nội dung phải tách ra trước.",
            lambda f: f.kind not in (None, PetitionKind.MIXED),
        ),
        Guard(
            "not_eligible",
            "Đơn đủ điều kiện xử lý nên không lưu được. Hãy chọn bước khác.",
            keeps_on_file,
        ),
        Guard(
            "anonymous_with_evidence",
            "Chỉ dùng cho đơn nặc danh có nội dung rõ ràng và bằng chứng cụ thể.",
            lambda f: f.anonymous and f.clear_evidence,
        ),
        Guard(
            "is_duplicate",
            "Chưa xác nhận đơn trùng với đơn nào, hoặc đơn có tình tiết mới. So sánh rồi xác nhận.",
            lambda f: f.duplicate and not f.new_facts,
        ),
        Guard(
            "guide_once",
            "Chỉ hướng dẫn một lần, cho khiếu nại, kiến nghị, phản ánh không thuộc thẩm quyền.",
            lambda f: (
                f.eligible and not f.competent and not f.guided_before and not is_denunciation(f)
            ),
        ),
        Guard(
            "may_be_transferred",
            "Chỉ chuyển đơn đủ điều kiện mà nơi khác có thẩm quyền; "
            "tố cáo đã gửi nơi có thẩm quyền thì không chuyển nữa.",
            may_be_transferred,
        ),
        Guard(
            "transferable_not_complaint",
            "Trước ngày 01/07/2026, khiếu nại không thuộc thẩm quyền thì hướng dẫn, không chuyển.",
            lambda f: may_be_transferred(f) and not is_complaint(f),
        ),
        Guard(
            "sent_by_elected_body_or_press",
            "Chỉ trả lại đơn do đại biểu, cơ quan dân cử hoặc báo chí chuyển không đúng nơi.",
            lambda f: f.forwarded_by_elected_body_or_press and not f.competent,
        ),
        Guard(
            "criminal_signs",
            "Chưa ghi nhận dấu hiệu tội phạm. Nêu rõ dấu hiệu rồi trình chuyển cơ quan điều tra.",
            lambda f: f.criminal_signs,
        ),
        Guard(
            "ready_to_propose",
            "Chỉ đề xuất thụ lý đơn đủ điều kiện, đúng thẩm quyền và đã kiểm tra danh tính.",
            lambda f: f.eligible and f.competent and f.identity_checked and not f.anonymous,
        ),
        Guard(
            "first_complaint",
            "Bước này dành cho khiếu nại lần đầu thuộc thẩm quyền của đơn vị.",
            lambda f: is_complaint(f) and f.round is Round.FIRST and f.competent,
        ),
        Guard(
            "second_complaint",
            "Bước này dành cho khiếu nại lần hai thuộc thẩm quyền của đơn vị.",
            lambda f: is_complaint(f) and f.round is Round.SECOND and f.competent,
        ),
        Guard(
            "competent_denunciation",
            "Bước này dành cho tố cáo thuộc thẩm quyền của đơn vị.",
            lambda f: is_denunciation(f) and f.competent,
        ),
        Guard(
            "competent_recommendation",
            "Bước này dành cho kiến nghị, phản ánh thuộc thẩm quyền của đơn vị.",
            lambda f: is_recommendation(f) and f.competent,
        ),
        Guard(
            "reason_given",
            "Cần ghi lý do trước khi làm bước này.",
            lambda f: f.reason_given,
        ),
        Guard(
            "has_result_document",
            "Chưa có văn bản kết quả. Đính kèm văn bản trả lời rồi làm lại.",
            lambda f: f.result_document,
        ),
        Guard(
            "may_answer",
            "Chỉ trả lời kiến nghị, phản ánh thuộc thẩm quyền và đã có văn bản trả lời.",
            lambda f: is_recommendation(f) and f.competent and f.result_document,
        ),
        Guard(
            "withdrawn_in_writing",
            "Rút đơn phải bằng văn bản hoặc biên bản có chữ ký. Lập biên bản rút đơn trước.",
            lambda f: f.withdrawal_in_writing and not f.part_withdrawn,
        ),
        Guard(
            "part_withdrawn_in_writing",
            "Rút một phần phải bằng văn bản hoặc biên bản nêu rõ phần rút.",
            lambda f: f.withdrawal_in_writing and f.part_withdrawn,
        ),
        Guard(
            "has_report",
            "Chưa có báo cáo xác minh trong hồ sơ. Đính kèm báo cáo rồi làm lại.",
            lambda f: f.report_filed,
        ),
        Guard(
            "complex_in_writing",
            "Cần văn bản xác định vụ việc phức tạp trong hồ sơ trước khi dùng hạn dài hơn.",
            lambda f: f.complex_document,
        ),
        Guard(
            "suspension_ground",
            "Chọn căn cứ tạm đình chỉ: bất khả kháng, trở ngại khách quan "
            "hoặc chờ kết quả liên quan.",
            lambda f: f.suspension_ground,
        ),
        Guard(
            "termination_ground",
            "Chọn căn cứ đình chỉ: rút toàn bộ, chết hoặc giải thể không người thừa kế, "
            "đối tượng không còn, tòa án đã thụ lý.",
            lambda f: f.termination_ground,
        ),
        Guard(
            "views_differ",
            "Lần đầu chỉ phải đối thoại khi yêu cầu của người khiếu nại "
            "và kết quả xác minh còn khác nhau.",
            lambda f: f.views_differ,
        ),
        Guard(
            "dialogue_not_owed",
            "Hai bên còn khác ý kiến nên phải đối thoại trước khi ra quyết định.",
            lambda f: not f.views_differ or _dialogue_done(f),
        ),
        Guard(
            "dialogue_always",
            "Lần hai bắt buộc đối thoại. Mời đối thoại rồi mới ra quyết định.",
            _dialogue_done,
        ),
        Guard(
            "absent_without_reason",
            "Chỉ ghi vắng mặt khi người được mời vắng mặt không có lý do chính đáng. Ghi rõ lý do.",
            lambda f: f.absent_without_reason,
        ),
        Guard(
            "second_complaint_in_time",
            "Đã quá thời hạn khiếu nại lần hai. Kiểm tra ngày nhận quyết định "
            "hoặc trở ngại khách quan, nếu có thì ghi vào hồ sơ.",
            lambda f: not f.second_complaint_late,
        ),
        Guard(
            "first_term_expired",
            "Thời hạn giải quyết lần đầu chưa hết nên chưa khiếu nại lần hai được.",
            lambda f: f.first_term_expired,
        ),
        Guard(
            "authorisation_certified",
            "Giấy ủy quyền phải công chứng hoặc chứng thực, áp dụng đến hết ngày 31/12/2026.",
            lambda f: f.authorisation_written and f.authorisation_certified,
        ),
        Guard(
            "authorisation_written",
            "Chưa có giấy ủy quyền. Đính kèm giấy ủy quyền rồi làm lại.",
            lambda f: f.authorisation_written,
        ),
        Guard(
            "team_fit",
            "Tổ xác minh có ít nhất 02 người, không ai có lợi ích liên quan hay là người thân "
            "của người bị tố cáo. Chọn lại thành viên.",
            lambda f: f.team_size >= LEAST_TEAM and f.team_without_conflict,
        ),
        Guard(
            "may_extend",
            "Gia hạn cần quyết định gia hạn ký trước khi hết hạn: một lần khi phức tạp, "
            "hai lần khi đặc biệt phức tạp.",
            lambda f: f.extension_document and f.extensions_taken < _most_extensions(f),
        ),
        Guard(
            "withdrawal_may_end",
            "Rút tố cáo phải bằng văn bản hoặc biên bản. Vẫn giải quyết tiếp nếu hành vi có dấu "
            "hiệu vi phạm, người tố cáo bị ép buộc, hoặc tố cáo để vu khống.",
            lambda f: f.withdrawal_in_writing and not f.part_withdrawn and f.no_ground_to_continue,
        ),
        Guard(
            "identity_removed",
            "Trước khi đưa ra ngoài phải bỏ họ tên, địa chỉ, bút tích và thông tin khác "
            "của người tố cáo.",
            lambda f: f.identity_removed,
        ),
        Guard(
            "protection_in_writing",
            "Cần văn bản đề nghị bảo vệ. Việc gấp thì chọn “đề nghị khẩn”, bổ sung văn bản sau.",
            lambda f: f.protection_in_writing,
        ),
        Guard(
            "protection_requested",
            "Chưa ghi nhận yêu cầu bảo vệ của người tố cáo. Ghi yêu cầu rồi làm lại.",
            lambda f: f.protection_requested,
        ),
        Guard(
            "term_passed",
            "Thời hạn giải quyết chưa hết nên chưa yêu cầu báo cáo quá hạn.",
            lambda f: f.term_passed,
        ),
        Guard(
            "may_transfer_denunciation",
            "Chỉ chuyển tố cáo thuộc thẩm quyền nơi khác và chưa gửi tới nơi đó.",
            lambda f: not f.competent and not f.copied_to_competent_body,
        ),
        Guard(
            "not_competent",
            "Việc này thuộc thẩm quyền của đơn vị nên không chuyển đi được.",
            lambda f: not f.competent,
        ),
        Guard(
            "may_be_destroyed",
            "Chỉ đề nghị hủy khi hết thời hạn lưu trữ và hội đồng đã đồng ý bằng văn bản. "
            "Hệ thống không tự xóa.",
            lambda f: f.retention_reached and f.destruction_approved and f.reason_given,
        ),
        Guard(
            "has_reason_code",
            "Chọn lý do tiếp trực tuyến theo Điều 20 Nghị định 154/2026 trước.",
            lambda f: bool(f.reason_code),
        ),
        Guard(
            "may_be_scheduled",
            "Tố cáo có yêu cầu bảo vệ hoặc chưa chắc giữ được bí mật thì không tiếp trực tuyến. "
            "Hãy mời tiếp trực tiếp.",
            lambda f: f.points_set and bool(f.reason_code) and denunciation_may_go_online(f),
        ),
        Guard(
            "denunciation_must_be_in_person",
            "Chỉ chuyển sang tiếp trực tiếp ở bước này khi tố cáo cần bảo vệ hoặc giữ bí mật.",
            lambda f: not denunciation_may_go_online(f),
        ),
        Guard(
            "has_refusal_ground",
            "Chọn căn cứ từ chối tiếp và ghi lý do. Người tiếp quyết định, máy không tự từ chối.",
            lambda f: bool(f.refusal_ground) and f.reason_given,
        ),
        Guard(
            "all_points_notified",
            "Còn điểm cầu chưa được báo. Gửi thông báo cho mọi điểm cầu rồi làm lại.",
            lambda f: f.points_notified,
        ),
        Guard(
            "all_links_tested",
            "Còn điểm cầu chưa thử đường truyền đạt. "
            "Thử lại trước ngày tiếp ít nhất 1 ngày làm việc.",
            lambda f: f.links_tested,
        ),
        Guard(
            "all_points_connected",
            "Còn điểm cầu chưa kết nối. Gọi điểm cầu, nối đủ trước giờ mở ít nhất 1 giờ.",
            lambda f: f.all_points_connected,
        ),
        Guard(
            "may_open",
            "Chưa mở được phiên: máy ghi phải đang chạy, đã thông báo ghi âm, ghi hình, "
            "đã kiểm tra danh tính, chủ trì có mặt và đủ ba mốc về điểm cầu.",
            may_open,
        ),
        Guard(
            "recorder_running",
            "Máy ghi chưa chạy lại. Chờ đèn ghi sáng rồi tiếp tục phiên.",
            lambda f: f.recorder_running,
        ),
        Guard(
            "must_close_room",
            "Phòng kín dùng khi có yêu cầu bảo vệ hoặc người chủ trì đã cấm tự ghi hình.",
            lambda f: f.protection_requested or f.forbidden_self_recording,
        ),
        Guard(
            "protection_not_requested",
            "Người tố cáo đã yêu cầu bảo vệ nên không mở lại phòng chung. "
            "Tiếp tục trong phòng kín.",
            lambda f: not f.protection_requested,
        ),
        Guard(
            "has_incident_note",
            "Ghi lại sự việc (mất đường truyền, lý do) trước khi chuyển sang tiếp trực tiếp.",
            lambda f: f.incident_note,
        ),
        Guard(
            "minutes_read_back",
            "Biên bản phải được đọc lại và những người dự xác nhận.",
            lambda f: f.minutes_read_back,
        ),
        Guard(
            "recordings_sealed",
            "Bản ghi chưa niêm phong xong. Chờ kiểm tra mã băm đạt rồi làm lại.",
            lambda f: f.recordings_sealed,
        ),
        Guard(
            "has_book_entry",
            "Chưa vào sổ tiếp công dân. Ghi dòng sổ rồi làm lại.",
            lambda f: f.book_entry,
        ),
    )
)
