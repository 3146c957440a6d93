"""Sections of a resume, found by their headings in many wordings and shapes."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from models.resume_lines import Line, make_line
from models.resume_words import word_set

# English, then German, French and Spanish. "Other" ends the section before it.
_HEADINGS: Mapping[str, str] = {
    "contact": "contact|contact details|contact information|contact info|contact me|details"
    "|personal details|personal information|personal data|personal info|personal particulars"
    "|kontakt|kontaktdaten|persönliche daten|persönliche angaben|zur person|coordonnées"
    "|informations personnelles|état civil|contacto|datos personales|datos de contacto"
    "|información personal",
    "summary": "summary|profile|about|about me|objective|overview|introduction|personal statement"
    "|career objective|career summary|career profile|professional summary|professional profile"
    "|executive summary|summary of qualifications|qualifications summary|personal profile"
    "|profile summary|career overview|bio|biography|who i am|job objective|statement"
    "|profil|kurzprofil|über mich|zusammenfassung|profil professionnel|à propos|à propos de moi"
    "|résumé professionnel|objectif|accroche|perfil|perfil profesional|resumen|sobre mí|objetivo"
    "|resumen profesional|extracto",
    "experience": "experience|work experience|working experience|professional experience"
    "|employment|employment history|work history|career history|professional background"
    "|professional history|job history|job experience|industry experience|positions held"
    "|work|career|jobs|where i have worked|where i've worked|employment record"
    "|employment experience|internships|internship experience|internship|work placements"
    "|experience summary|experience details|company details|appointments|academic appointments"
    "|research experience|teaching experience|clinical experience|leadership experience"
    "|berufserfahrung|berufliche erfahrung|berufspraxis|beruflicher werdegang|werdegang"
    "|praktische erfahrung|praktika|berufstätigkeit|beruflicher hintergrund"
    "|expérience|expériences|expérience professionnelle|expériences professionnelles"
    "|parcours professionnel|expérience de travail|stages|emplois"
    "|experiencia|experiencia laboral|experiencia profesional|trayectoria profesional"
    "|historial laboral|experiencias|trayectoria|prácticas",
    "education": "education|academic background|academic history|academics|qualifications"
    "|academic qualifications|educational qualifications|educational background|education details"
    "|education and training|academic education|academic training|education and qualifications"
    "|studies|academic record|educational qualification|schooling|degrees"
    "|academic qualification|academic credentials|scholastic record|education history"
    "|ausbildung|bildung|bildungsweg|schulbildung|studium|akademischer werdegang|hochschulbildung"
    "|aus und weiterbildung|formation|formations|études|diplômes|formation académique|parcours"
    "|parcours académique|cursus|formación|formación académica|educación|estudios|titulación",
    "skills": "skills|technical skills|key skills|core skills|core competencies|competencies"
    "|areas of expertise|expertise|technologies|tech stack|technical expertise|proficiencies"
    "|professional skills|skill set|skillset|skills summary|technical summary|it skills|tools"
    "|computer skills|soft skills|hard skills|transferable skills|technical proficiencies"
    "|technical competencies|key competencies|strengths|key strengths|areas of strength"
    "|capabilities|technical knowledge|technical proficiency|skill details|computer knowledge"
    "|skills profile|skill highlights|programming languages|programming skills|abilities"
    "|kenntnisse|fähigkeiten|kompetenzen|fachkenntnisse|edv kenntnisse|it kenntnisse|stärken"
    "|technische fähigkeiten|besondere kenntnisse|softwarekenntnisse|qualifikationen"
    "|compétences|compétences techniques|compétences clés|savoir faire|atouts"
    "|compétences informatiques|informatique|outils"
    "|habilidades|competencias|aptitudes|conocimientos|habilidades técnicas"
    "|competencias técnicas|conocimientos técnicos|herramientas|conocimientos informáticos",
    "languages": "languages|language skills|language|languages known|spoken languages"
    "|foreign languages|language proficiency|linguistic skills"
    "|sprachen|sprachkenntnisse|fremdsprachen|langues|langues étrangères|compétences linguistiques"
    "|idiomas|lenguas|idiomes",
    "certifications": "certifications|certificates|certification|licenses|licences|licensure"
    "|licenses and certifications|professional certifications|certifications and licenses"
    "|accreditations|credentials|professional qualifications|trainings|training|courses"
    "|professional development|professional training|courses and certifications"
    "|zertifikate|zertifizierungen|weiterbildung|weiterbildungen|fortbildung|fortbildungen"
    "|certificats|certificaciones|certificados|cursos|licencias|habilitations",
    "projects": "projects|personal projects|side projects|academic projects|project experience"
    "|key projects|open source|portfolio|project details|projekte|projets|proyectos"
    "|projets personnels|proyectos personales",
    "references": "references|referees|referenzen|références|referencias",
    "other": "awards|honors|honours|achievements|accomplishments|awards and honors|publications"
    "|patents|presentations|conferences|talks|volunteering|volunteer experience|volunteer work"
    "|volunteer|community service|community|community involvement|extracurricular activities"
    "|extra curricular activities|extracurriculars|activities|interests|hobbies"
    "|hobbies and interests|memberships|affiliations|professional memberships"
    "|professional affiliations|scholarships|research|research interests|leadership"
    "|military service|additional information|additional|miscellaneous|declaration|links|grants"
    "|selected publications|teaching|service|exhibitions|performances|coursework"
    "|relevant coursework|honors and awards|test scores|availability|visa status"
    "|auszeichnungen|ehrenamt|ehrenamtliches engagement|engagement|interessen|hobbys|sonstiges"
    "|publikationen|mitgliedschaften|veröffentlichungen|freizeit|führerschein"
    "|centres d'intérêt|loisirs|bénévolat|intérêts|distinctions|divers|activités"
    "|intereses|aficiones|premios|voluntariado|publicaciones|otros|otros datos|logros",
}
_QUALIFIERS = word_set(
    """selected relevant additional other key core recent previous past my main major
    professional current prior further notable specific general technical personal formal"""
)
_INLINE = frozenset({"skills", "languages", "certifications", "summary"})
_MAX_WORDS = 8
_NO_DEPTH = 7
_MAX_CHARS = 70

_JOINTS = re.compile(r"\s*(?:[&/,+|·•]|\b(?:and|und|et|y|e)\b)\s*")
_DECORATION = re.compile(r"[^\w\s&/,+'’|·•-]+|[_-]{2,}|^[\s\-+,/&|·•]+|[\s\-+,/&|·•:]+$")
_NUMBERING = re.compile(r"^(?:[0-9]{1,2}|[ivx]{1,4})[.)]\s+", re.IGNORECASE)
_UNDERLINE = re.compile(r"[ \t]*([-=_~─━═—–])\1{2,}[ \t]*(?:\r?\n|$)")
_INLINE_HEADING = re.compile(r"([^:\n]{4,40}?)\s*(?::|\t)\s*(?=\S)")


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it.

    Attributes
    ----------
    kind : str
        ``header`` for what stands before any heading; contact, summary, experience, education,
        skills, languages, certifications, projects, references or other.
    lines : tuple of Line
    heading : Line or None
    """

    kind: str
    lines: tuple[Line, ...]
    heading: Line | None = None


@cache
def _kinds() -> dict[str, str]:
    return {
        _plain(heading): kind for kind, words in _HEADINGS.items() for heading in words.split("|")
    }


def split_sections(text: str, lines: Sequence[Line]) -> list[Section]:
    """Return the sections of a text in order; the first is the header, maybe empty.

    A heading followed by its content on the same line ("Skills: Python, Java") holds until the
    next empty line or heading; then the section it interrupted goes on.
    """
    sections: list[Section] = []
    kind, heading, content = "header", None, list[Line]()
    resumed: tuple[str, Line | None] | None = None
    depth = _NO_DEPTH

    def close() -> None:
        if content or heading or not sections:
            sections.append(Section(kind, tuple(content), heading))
        content.clear()

    for line in lines:
        named = heading_kind(line.text, line.bullet)
        if named and _is_part_of_entry(line, named, kind, heading):
            named = None
        if named is None and kind != "header":
            # An unknown heading: marked as one, and of no lower rank than those that are known.
            ranked = line.level and line.level <= depth < _NO_DEPTH
            named = "other" if ranked or _is_underlined(text, line) else None
        if named:
            close()
            kind, heading, resumed = named, line, None
            depth = line.level or depth
            continue
        inline = None if line.bullet else _inline_heading(text, line)
        if inline and (line.after_blank or resumed or kind not in ("experience", "projects")):
            close()
            resumed = resumed or (kind, heading)
            kind, heading = inline[0], inline[1]
            content.append(inline[2])
            continue
        if resumed and line.after_blank:
            close()
            kind, heading = resumed[0], None
            resumed = None
        content.append(line)
    close()
    return sections


def _is_part_of_entry(line: Line, named: str, kind: str, heading: Line | None) -> bool:
    """Return whether "Achievements:" or "Tools:" stands within an entry of the work history."""
    if kind not in ("experience", "projects") or not line.text.endswith(":"):
        return False
    if heading is not None and heading.text.endswith(":"):
        return False
    return named in ("other", "projects", "skills") or not line.after_blank


def heading_kind(text: str, bullet: bool = False) -> str | None:
    """Return which section the line ``text`` opens, or None if it is no heading."""
    if len(text) > _MAX_CHARS or len(text.split()) > 2 * _MAX_WORDS + 8 or text[-1:] in ".;,":
        return None
    if bullet and not (text.isupper() or text.istitle()):
        return None
    plain = _plain(_NUMBERING.sub("", text))
    letters = plain.split()
    if len(letters) > 3 and all(len(letter) == 1 for letter in letters):
        return _kinds().get("".join(letters)) or _spaced(plain)
    if not plain or len(letters) > _MAX_WORDS:
        return None
    kind = _phrase_kind(plain)
    if kind is None:
        parts = [part for part in _JOINTS.split(plain) if part]
        kinds = [_phrase_kind(part) for part in parts]
        known = [part for part in kinds if part]
        # "Licences & Insurance" counts, "Sales and Marketing, Skills Academy" does not.
        if known and kinds[0] and len(parts) <= 3 and len(known) >= len(parts) - 1:
            kind = next((part for part in known if part != "other"), "other")
    return kind if kind and _looks_like_heading(text) else None


def _spaced(plain: str) -> str | None:
    return next((k for word, k in _kinds().items() if word.replace(" ", "") == plain), None)


def _phrase_kind(plain: str) -> str | None:
    kind = _kinds().get(plain)
    words = plain.split()
    while kind is None and len(words) > 1 and words[0] in _QUALIFIERS:
        words = words[1:]
        kind = _kinds().get(" ".join(words))
    return kind


def _looks_like_heading(text: str) -> bool:
    """Return whether the first letter is a capital, or the line ends in a colon."""
    first = next((letter for letter in text if letter.isalpha()), "")
    return not first.islower() or text.endswith(":")


def _plain(text: str) -> str:
    """Return ``text`` in small letters without accents and decoration."""
    folded = unicodedata.normalize("NFKD", text.replace("’", "'")).casefold()
    folded = "".join(letter for letter in folded if not unicodedata.combining(letter))
    for _ in range(2):
        folded = _DECORATION.sub(" ", folded).strip()
    return " ".join(folded.replace("-", " ").split())


def _is_underlined(text: str, line: Line) -> bool:
    """Return whether a rule of signs stands right under ``line`` and it could be a heading."""
    if len(line.text) > 40 or len(line.text.split()) > 4 or line.bullet:
        return False
    after = text.find("\n", line.end, line.end + 80)
    return after >= 0 and _UNDERLINE.match(text, after + 1) is not None


def _inline_heading(text: str, line: Line) -> tuple[str, Line, Line] | None:
    match = _INLINE_HEADING.match(line.text)
    if not match or not line.text[0].isupper():
        return None
    kind = _phrase_kind(_plain(match[1]))
    if kind not in _INLINE or kind is None:
        return None
    head = make_line(text, line.start, line.start + match.end(1), line.after_blank)
    rest = make_line(text, line.start + match.end(), line.end, after_blank=False)
    return kind, head, rest
