"""Golden tokens and scores for pkg/caption/score, from pycocoevalcap's wheel.

Writes to pkg/caption/score/testdata: tokens.json.gz (difficult lines and their tokens),
scores.json.gz (captions and their scores) and real.json (a digest of the tokens, and the
scores, of captions in $GAZE_SHARED_DATA/captions that can't be committed). Needs Java
(Debian: default-jre-headless).

    python tools/golden/score.py

The unclipped CIDEr isn't in the wheel. It is the wheel's scorer without the minimum and
the length penalty, which is what the paper's authors call CIDEr.
"""
import builtins
import contextlib
import gzip
import hashlib
import io
import json
import os
import pathlib
import random

import ptbjava
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider import cider_scorer
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PUNCTUATIONS, PTBTokenizer

OUT = pathlib.Path(__file__).parents[2] / "pkg/caption/score/testdata"
HARD = """cannot|gonna|Gotta|lemme|gimme|wanna|'twas|'tis|don't|isn't|can't|won't|I'm|they're|we've|he'd|she'll|it's|o'clock|rock'n'roll
'n'|'em|'cause|y'all|'90s|'90|90's|1/2|1 1/2|3/4|$5|$5.00|€20|£3|¢|US$|C$|1,000|1,000.50|-5|+3|10:30|12/25/2014|1-2-14|555-1234
(555) 123-4567|555.123.4567|www.foo.com|http://a.b/c?d=e|https://x.org/,|foo@bar.com|<b>|</b>|<br/>|<a href="x y">|&|&amp;|AT&T|R&D
&nbsp;|&quot;|"|''|``|`|'|…|...|....|.|..|. . .|-|--|---|-----|–|—|(|)|[|]|{|}|<|>|<<|>>|:)|:(|;-)|:P|=)|<3|^_^|-_-|U.S.|U.S|U.K.
a.m.|p.m.|Dr.|Mr.|Mrs.|St.|Ave.|etc.|e.g.|i.e.|vs.|no.|fig.|art.|pp.|Co.|Inc.|Ltd.|Jan.|Feb.|Sept.|Mon.|Ph.D.|Ed.D.|B.|C.|A.|I.
The|It|A|In|5|7|the|a|man|dog|cat|T-shirt|t-shirt|well-known|co-ed|anti-|pro-life|and/or|he/she|w/|c/o|black/white|file.txt
photo.jpg|photo.jpg.|mp3|C++|C#|#tag|@user|#|@@|##|___|_|*|**|\\*|\\/|/|//|\\|+|%|~|^|||=|;|:|,|?|!|?!|!!|???|é|café|naïve|Zürich
ñ|日本|русский|ελληνικά|ΣΟΦΟΣ|ΟΔΟΣ-ΑΣ|İstanbul|ıı|😀|👍🏽|™|®|°|º|²|½|¼|1½|⅔|⅛|‘quoted’|“quoted”|«x»|don’t|it’s|’tis|l'eau
d'Avignon|O'Brien|L'Oreal|qu'il|s'mores|e'er|li'l|nat'l|ev'ry|c'mon|Dunkin'|ol'|somethin'|cont'd.|nor'easter|till|'til|'till|y'know
soft­hyphen|­|zero\u200bwidth|10%|5ft|6'|5"|4x4|2nd|20th|1920s|100km/h|f/2.8|No.5|a.k.a.|P.S.|etc.)|Yahoo!|Yahoo!'s|what?!|end.Next
word.word|J.Crew|&#39;|&eacute;|caf&eacute;|&lt;b&gt;|&mdash;|S&P-500|S&Ls|Cap'n|c'est|pty. ltd|co. ltd.|-LRB-|٣|१२|ａｂｃ|￥|、|。|・|¿|¡
‑|non‐breaking|x_y|under_score|C.D.s|Canada-U.S.|U.S.-U.K.|\x7f|\u0091a\u0092|\u0093b\u0094|K|ſ""".replace("\n", "|").split("|")


def spoil(captions, count, rng):
    """Makes lines of difficult words, and of captions with difficult words inserted."""
    out = []
    for _ in range(count):
        if rng.random() < 0.5:
            glue = lambda: rng.choice([" ", " ", " ", "", ", ", ". ", "-"])
            out.append("".join(rng.choice(HARD) + glue() for _ in range(rng.randint(1, 7))))
            continue
        line = rng.choice(captions)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(line) + 1)
            line = line[:at] + rng.choice(HARD) + line[at:]
        out.append(line)
    return out


def captions(rng, count):
    who = ["a man", "two dogs", "the girl's cat", "a woman", "three sheep", "Mr. B. Smith", "an old couple"]
    does = ["riding a bike", "isn't holding an umbrella", "standing in a field", "skiing down a slope", "eating 1 1/2 pizzas (hot)"]
    where = ["on the beach.", "in front of a building", "at 5 p.m.", "near the U.S. flag", "", "with art.", "- really?!"]
    return [" ".join([rng.choice(who), rng.choice(does), rng.choice(where)]) for _ in range(count)]


@contextlib.contextmanager
def unclipped():
    """Removes the minimum and the penalty from the wheel's CIDEr."""
    cider_scorer.min = lambda hyp, ref: hyp
    try:
        yield Cider(sigma=1e12)
    finally:
        del cider_scorer.min
    assert min is builtins.min


def scores(gts, res):
    with contextlib.redirect_stdout(io.StringIO()):
        bleu, each_bleu = Bleu(4).compute_score(gts, res)
    rouge, each_rouge = Rouge().compute_score(gts, res)
    cider, each_cider = Cider().compute_score(gts, res)
    with unclipped() as scorer:
        plain, each_plain = scorer.compute_score(gts, res)
    pack = lambda b, r, c, p: [float(x) for x in [*b, r, c, p]]
    each = [pack(*x) for x in zip(zip(*each_bleu), each_rouge, each_cider, each_plain)]
    return {"corpus": pack(bleu, rouge, cider, plain), "each": each}


def case(name, refs, hyps):
    entry = lambda texts: [{"caption": t} for t in texts]
    tokenizer = PTBTokenizer()
    gts = tokenizer.tokenize({i: entry(r) for i, r in enumerate(refs)})
    res = tokenizer.tokenize({i: entry([h]) for i, h in enumerate(hyps)})
    return {"name": name, "refs": refs, "hyps": hyps, **scores(gts, res)}


def write(name, value):
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    (OUT / name).write_bytes(gzip.compress(data, mtime=0))


def tokenize(lines):
    """Tokenizes as pycocoevalcap does, and removes its punctuation tokens."""
    said = ptbjava.lines(lines)
    assert len(said) >= len(lines)
    return [" ".join(w for w in s.rstrip().split(" ") if w not in PUNCTUATIONS) for s in said[: len(lines)]]


def real(folder):
    """Scores captions in groups of three, and the first reference of COCO's pictures against the others."""
    results = json.loads((folder / "captions_val2014_fakecap_results.json").read_text())
    texts = [r["caption"] for r in results]
    coco = json.loads((folder / "coco_karpathy_5images.json").read_text())["images"]
    raws = [[s["raw"] for s in im["sentences"]] for im in coco]
    tokens = tokenize(texts + [r for raw in raws for r in raw])
    threes = case("threes", [texts[i : i + 2] for i in range(0, 999, 3)], texts[2:999:3])
    first = case("first", [r[1:] for r in raws], [r[0] for r in raws])
    return {
        "tokens_sha256": hashlib.sha256("\n".join(tokens).encode()).hexdigest(),
        "threes": threes["corpus"],
        "first": first["corpus"],
    }


def main():
    rng = random.Random(20140827)
    OUT.mkdir(exist_ok=True)
    lines = [f"a {h} b" for h in HARD] + HARD + spoil(captions(rng, 300), 4000, rng)
    write("tokens.json.gz", {"lines": lines, "tokens": tokenize(lines)})
    refs = [captions(rng, rng.randint(1, 5)) for _ in range(80)]
    hyps = captions(rng, 80)
    same = [r[0] for r in refs]
    hard = spoil(captions(rng, 50), 40, rng)
    cases = [
        case("drawn", refs, hyps),
        case("one of the references", refs, same),
        case("hard", [[a, b] for a, b in zip(hard[:20], hard[1:21])], hard[20:]),
        case("short and empty", [["a dog"], ["cat", "a cat"], ["", "a"], ["x y z"], ["a b c d"], [""]], ["dog", "", "a", "q", "d c b a a", ""]),
        case("repeated", [["a red bus", "bus"], ["a big dog runs", "dog"]], ["a a a a bus bus", "dog dog dog dog dog dog dog dog dog"]),
        case("single", [["a man rides a bike", "man on bike"]], ["a man on a bike"]),
    ]
    write("scores.json.gz", cases)
    shared = pathlib.Path(os.environ.get("GAZE_SHARED_DATA", pathlib.Path(__file__).parents[3] / "shared/data"))
    if (shared / "captions").is_dir():
        (OUT / "real.json").write_text(json.dumps(real(shared / "captions"), indent=1) + "\n")


if __name__ == "__main__":
    main()
