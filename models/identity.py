"""Words for who people are, folded into one token so that none of them counts against anybody.

A model that knows each of them learns from abuse that some are abused more often, and then takes
the word for the abuse. Slurs are not among them: they say something.
"""

# No letter in it, so that no character n-gram of the token stands in a word of the language.
IDENTITY_TOKEN = "__0__"

_TERMS = """
african afro american arab arabic asian atheist autistic bisexual black blind brazilian british
brown buddhist canadian catholic chinese christian deaf disabled dutch egyptian elderly ethiopian
european female filipino french gay german greek heterosexual hindu hispanic homosexual immigrant
indian indigenous iranian iraqi irish islamic israeli italian jamaican japanese jew jewish kenyan
korean latina latino latinx lesbian lgbt lgbtq male mexican millenial millennial moroccan mormon
muslim nigerian nonbinary old older orthodox pakistani palestinian paralysed paralyzed polish
portuguese protestant queer refugee roma romanian russian scottish senegalese sikh somali spanish
straight swedish syrian taoist teenage teenager trans transgender transsexual turk turkish ukrainian
vietnamese welsh white young younger
"""

#: Every one of them, in the singular and in the plural.
IDENTITY_WORDS = frozenset(term + ending for term in _TERMS.split() for ending in ("", "s", "es"))
