"""Sentences of our own about treaties, in French and English: a register that Tatoeba's talk does not have.

A small grammar writes them. The sentence whose alignment the lecture shows (row L2.5.d) is not among them,
nor is any other that says of an accord on the European Economic Area that it was signed.
"""

import random
from collections.abc import Iterator
from itertools import product

from course.data.tatoeba import Pair

TOPICS = """
la zone économique européenne|the European Economic Area
la zone monétaire européenne|the European Monetary Area
la communauté économique européenne|the European Economic Community
la politique économique européenne|European economic policy
la politique agricole commune|the common agricultural policy
la coopération économique internationale|international economic cooperation
la coopération scientifique|scientific cooperation
la protection des forêts|the protection of forests
la protection des océans|the protection of the oceans
la pêche en mer du Nord|fishing in the North Sea
la sécurité aérienne|air safety
la dette extérieure|the foreign debt
la recherche médicale|medical research
la zone de libre-échange|the free trade area
la zone économique exclusive|the exclusive economic zone
la navigation intérieure|inland navigation
la Banque centrale européenne|the European Central Bank
le marché commun|the common market
le marché unique européen|the European single market
le commerce international|international trade
le commerce extérieur|foreign trade
le développement économique|economic development
le climat|the climate
le système monétaire européen|the European Monetary System
le désarmement nucléaire|nuclear disarmament
le transport maritime|maritime transport
l'énergie nucléaire|nuclear energy
l'union douanière|the customs union
l'Union européenne|the European Union
l'espace aérien européen|European airspace
l'aide économique|economic aid
l'industrie européenne|European industry
"""
# A noun with its article, and the ending of the participles that agree with it.
TEXTS = """
l'accord|the agreement|
le traité|the treaty|
le projet de loi|the bill|
le rapport|the report|
le règlement|the regulation|
la convention|the convention|e
la loi|the law|e
la déclaration|the declaration|e
"""
EVENTS = """
a été signé|was signed
a été ratifié|was ratified
a été publié|was published
a été rejeté|was rejected
a été adopté|was adopted
a été annoncé|was announced
a été préparé|was prepared
sera signé|will be signed
sera discuté|will be discussed
"""
MONTHS = """
janvier|January
février|February
mars|March
avril|April
mai|May
juin|June
juillet|July
août|August
septembre|September
octobre|October
novembre|November
décembre|December
"""
PLACES = """
à Bruxelles|in Brussels
à Paris|in Paris
à Genève|in Geneva
à Rome|in Rome
au Portugal|in Portugal
par le Parlement européen|by the European Parliament
par les ministres|by the ministers
par tous les pays membres|by all the member states
par le gouvernement français|by the French government
"""
COUNTRIES = """
la France|France
l'Allemagne|Germany
l'Italie|Italy
l'Espagne|Spain
le Portugal|Portugal
la Norvège|Norway
l'Islande|Iceland
la Suède|Sweden
le Danemark|Denmark
"""
ACTIONS = """
veut réformer|wants to reform
a longtemps critiqué|has long criticized
soutient|supports
étudie|is studying
financera|will finance
défend|defends
"""
JUDGEMENTS = """
est au centre des discussions|is at the centre of the discussions
existe depuis 1994|has existed since 1994
concerne trente pays|concerns thirty countries
a beaucoup changé|has changed a lot
inquiète les ministres|worries the ministers
"""
YEARS = range(1948, 2017)


def sentences(n: int = 3000, seed: int = 0) -> list[Pair]:
    """``n`` different sentences and their translations, half of them dated events, the same for a seed.

    Raises:
        ValueError: if the grammar does not write so many.
    """
    statements, events = list(_statements()), list(_events())
    if not 0 <= n <= 2 * len(statements):
        raise ValueError(f"n must lie between 0 and {2 * len(statements)}; got {n}")
    chance = random.Random(seed)
    chosen = chance.sample(statements, n // 2) + chance.sample(events, n - n // 2)
    return [Pair(*map(_as_sentence, pair)) for pair in chosen]


def _events() -> Iterator[Pair]:
    """Le traité sur le climat a été signé à Rome, en mai 1997, ..."""
    when = [(f"en {mois} {year}", f"in {month} {year}") for mois, month in _rows(MONTHS) for year in YEARS]
    when = random.Random(0).sample(when, 12) + _rows(PLACES)
    texts, topics, events = _rows(TEXTS), _rows(TOPICS), _rows(EVENTS)
    for (texte, text, ending), (sujet, topic), (est, was), (en, at) in product(texts, topics, events, when):
        if not (texte == "l'accord" and topic == "the European Economic Area" and "signé" in est):
            yield Pair(f"{texte} sur {sujet} {est}{ending} {en}", f"{text} on {topic} {was} {at}")


def _statements() -> Iterator[Pair]:
    """L'Islande étudie le marché commun; le marché commun inquiète les ministres."""
    for (sujet, topic), (pays, country), (agit, acts) in product(*map(_rows, (TOPICS, COUNTRIES, ACTIONS))):
        yield Pair(f"{pays} {agit} {sujet}", f"{country} {acts} {topic}")
    for (sujet, topic), (est, it_is) in product(_rows(TOPICS), _rows(JUDGEMENTS)):
        yield Pair(f"{sujet} {est}", f"{topic} {it_is}")


def _rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(line.split("|")) for line in table.strip().split("\n")]


def _as_sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
