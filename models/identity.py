"""Words for who people are, folded into one token so that none of them counts against anybody.

A model that knows each of them learns from abuse that some are abused more often, and then takes
the word for the abuse. Slurs are not among them: they say something.
"""

import re

IDENTITY_TOKEN = "__identity__"

_TERMS = """
african american, african-american, african, afro american, afro-american, american, arab, arabic,
asian, asian american, asian-american, atheist, autistic, bisexual, black, blind, brazilian,
british, brown, buddhist, canadian, catholic, chinese, christian, deaf, disabled, dutch, egyptian,
elderly, ethiopian, european, female, filipino, french, gay, german, greek, heterosexual, hetero,
hindu, hispanic, homosexual, immigrant, indian, indigenous, iranian, iraqi, irish, islamic, israeli,
italian, jamaican, japanese, jew, jewish, kenyan, korean, latina, latino, latinx, lesbian, lgbt,
lgbtq, male, mexican, middle aged, middle-aged, middle eastern, millenial, millennial, moroccan,
mormon, muslim, native american, nigerian, nonbinary, non-binary, old, older, orthodox, pakistani,
palestinian, paralyzed, paralysed, pole, polish, portuguese, protestant, queer, refugee, roma,
romanian, russian, scottish, senegalese, sikh, somali, spanish, straight, swedish, syrian, taoist,
teenage, teenager, trans, transgender, transsexual, turk, turkish, ukrainian, vietnamese, welsh,
white, young, younger
"""

_LONGEST_FIRST = sorted((" ".join(term.split()) for term in _TERMS.split(",")), key=len)[::-1]

#: A whole word of them, in normalised text; plural forms count too.
IDENTITY = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, _LONGEST_FIRST))})(?:s|es)?(?!\w)")
