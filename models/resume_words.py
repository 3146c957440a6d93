"""Words that tell a job title from an employer, a place, a school or a name."""

import re
import unicodedata
from functools import cache


def word_set(words: str) -> frozenset[str]:
    """Return the words of ``words``; a tilde stands for a space in one of them."""
    return frozenset(word.replace("~", " ") for word in words.split())


_TITLE = word_set(
    # English
    """engineer developer programmer architect manager director analyst scientist consultant
    specialist administrator admin designer lead leader head chief officer ceo cto cfo coo cio
    cmo vp president intern trainee apprentice assistant associate coordinator co-ordinator
    supervisor executive representative rep technician technologist nurse teacher lecturer
    professor researcher fellow tutor instructor trainer coach accountant auditor bookkeeper
    cashier barista waiter waitress bartender chef cook baker driver operator mechanic
    electrician plumber carpenter welder machinist lawyer attorney paralegal solicitor counsel
    clerk secretary receptionist agent broker trader banker advisor adviser planner strategist
    writer editor journalist reporter author copywriter translator interpreter photographer
    videographer artist illustrator animator musician producer actor recruiter buyer
    merchandiser pharmacist physician doctor surgeon dentist therapist psychologist counselor
    counsellor caregiver carer paramedic veterinarian biologist chemist physicist statistician
    mathematician economist geologist inspector investigator guard sergeant lieutenant pilot
    steward stewardess attendant host hostess owner founder cofounder co-founder partner
    principal freelancer contractor volunteer tester sre webmaster evangelist controller
    comptroller treasurer librarian curator archivist worker labourer laborer packer picker
    handler foreman superintendent estimator surveyor draftsman gardener cleaner housekeeper
    janitor butler postdoc postdoctoral scholar judge salesperson salesman saleswoman seller
    promoter marketer underwriter actuary adjuster examiner dispatcher expediter scheduler
    assembler fitter painter roofer mason tailor seamstress stylist hairdresser beautician
    nanny au-pair midwife radiographer optometrist dietitian nutritionist physiotherapist
    hygienist phlebotomist orderly soldier firefighter detective correspondent presenter
    moderator facilitator liaison ambassador master proprietor entrepreneur proofreader typist
    subeditor lexicographer"""
) | word_set(
    # German, French, Spanish, Italian, Portuguese
    """geschäftsführer geschäftsführerin leiter leiterin berater beraterin referent referentin
    sachbearbeiter sachbearbeiterin mitarbeiter mitarbeiterin praktikant praktikantin
    praktikum werkstudent werkstudentin kaufmann kauffrau lehrer lehrerin arzt ärztin pfleger
    krankenschwester auszubildender auszubildende redakteur redakteurin verkäufer verkäuferin
    fachkraft volontär ingénieur ingénieure développeur développeuse chef cheffe responsable
    directeur directrice consultante analyste technicien technicienne stagiaire alternant
    alternante assistante vendeur vendeuse comptable professeur professeure gérant gérante
    chargé chargée conseiller conseillère infirmier infirmière concepteur conceptrice
    chercheur chercheuse architecte serveur serveuse ingeniero ingeniera desarrollador
    desarrolladora gerente jefe jefa analista consultor consultora técnico técnica becario
    becaria practicante asistente profesor profesora contador contadora administrador
    administradora vendedor vendedora diseñador diseñadora coordinador coordinadora encargado
    encargada enfermero enfermera programador programadora camarero camarera arquitecto
    ingegnere sviluppatore direttore impiegato engenheiro engenheira desenvolvedor"""
)
_TITLE_ENDINGS = (
    "entwickler", "entwicklerin", "ingenieur", "ingenieurin", "leiter", "leiterin", "berater",
    "beraterin", "manager", "managerin", "kaufmann", "kauffrau", "assistent", "assistentin",
    "mechaniker", "mechanikerin", "techniker", "technikerin", "architekt", "architektin",
    "wissenschaftler", "wissenschaftlerin", "verkäufer", "fachkraft", "pfleger", "pflegerin",
    "informatiker", "informatikerin", "analyst", "analystin",
)  # fmt: skip

_ORGANISATION = word_set(
    """inc incorporated llc llp ltd limited gmbh ag kg ug ohg se sa sas sarl sl slu srl spa bv nv
    ab oy as plc pty pvt corp corporation co company group gruppe groupe grupo holdings
    holding bank university universität université universidad università college institute
    institut instituto school schule école escuela hospital krankenhaus hôpital clinic klinik
    clinique clínica laboratory laboratories labs lab technologies technology solutions
    systems services software consulting consultants consultancy partners associates agency
    agentur agence agencia studio studios media networks foundation stiftung fondation
    fundación trust council ministry department government museum centre center hotel
    restaurant café cafe airlines airways insurance pharma pharmaceuticals industries
    enterprises enterprise international global ventures capital stores logistics motors
    energy communications telecom telekom entertainment games works werke bakery bäckerei shop
    library army navy division society association union authority commission hospitals
    universities schools academy akademie académie academia nhs brothers sons supermarket
    supermarkets banca banco banque versicherung verlag"""
)
_DEPARTMENTS = word_set(
    """engineering marketing sales finance operations product products research technology design
    hr it legal procurement security analytics data platform infrastructure quality r&d
    strategy communications growth support payments mobile web backend frontend compliance
    risk retail supply logistics people talent"""
)
_NOT_NAMES = word_set(
    """resume résumé cv curriculum vitae lebenslauf currículum profile page confidential personal
    information details contact address phone email e-mail mobile tel telephone linkedin
    github website portfolio the about job description chapter invoice date bill dear hello
    application cover letter table contents section name remote available skills experience
    education summary machine learning data science software web full stack senior junior
    agreement contract employment staff certified professional licensed registered draft
    technologies solutions mr mrs ms 简历 个人简历 履歴書 職務経歴書 이력서"""
)
# In small letters alone: An and By are names.
_FUNCTION_WORDS = word_set("and of for with in to a an at from by on as or is")
_LEGAL = word_set(
    """inc incorporated llc llp ltd limited gmbh ag kg sa sas sarl sl plc corp bv nv pvt pty co
    kft zrt sro srl spa jsc doo ooo oyj aps kk"""
)
_WORD = re.compile(r"[^\W\d_](?:[\w&'’-]*\w)?|r&d", re.IGNORECASE)
_DOTTED = re.compile(r"\b([a-zA-Z])\.(?=[a-zA-Z]\b)")


def words(text: str) -> list[str]:
    """Return the words of ``text`` in small letters; S.A. and G.m.b.H. lose their dots."""
    return [word.casefold() for word in _WORD.findall(_DOTTED.sub(r"\1", text))]


def title_words(text: str) -> int:
    """Return how many words of ``text`` are those of job titles."""
    return sum(_is_title(word) for word in words(text))


def organisation_words(text: str) -> int:
    """Return how many words of ``text`` are those of names of organisations."""
    return sum(word in _ORGANISATION for word in words(text))


def is_department(text: str) -> bool:
    """Return whether ``text`` names a department, and is nothing longer than that."""
    found = words(text)
    if not 0 < len(found) <= 3 or found[-1] in _LEGAL:
        return False
    return any(word in _DEPARTMENTS for word in found)


def is_legal_form(text: str) -> bool:
    """Return whether ``text`` is nothing but "Inc." or the like."""
    found = words(text)
    return 0 < len(found) <= 2 and all(word in _LEGAL for word in found)


def never_in_names(text: str) -> bool:
    """Return whether some word of ``text`` is none of a person's name."""
    if not _FUNCTION_WORDS.isdisjoint(text.split()):
        return True
    return any(
        word in _NOT_NAMES or word in _ORGANISATION_NOT_NAMES or _is_title_not_name(word)
        for word in words(text)
    )


def plain(text: str) -> str:
    """Return ``text`` in small letters without accents."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


# Family names are job titles and firms too: Cook, Baker, Mason, Sons, Bank.
_SURNAMES = word_set(
    """cook baker mason carpenter chef tailor painter head judge guard steward driver butler page
    gardener as ab co sa se young ag oy works lab partner host master marketer pilot porter
    webster banks bank brothers game shop"""
)
_ORGANISATION_NOT_NAMES = _ORGANISATION - _SURNAMES


@cache
def _is_title(word: str) -> bool:
    return word in _TITLE or word.endswith(_TITLE_ENDINGS)


def _is_title_not_name(word: str) -> bool:
    return _is_title(word) and word not in _SURNAMES
