"""Runs the tokenizer that ships in pycocoevalcap's wheel (needs Java)."""
import pathlib
import subprocess
import tempfile

from pycocoevalcap.tokenizer import ptbtokenizer

JAR = pathlib.Path(ptbtokenizer.__file__).with_name(ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR)


def lines(texts, lower=True):
    """Tokenizes texts, one per line in one file as in pycocoevalcap, without removing punctuation."""
    assert not any("\n" in t for t in texts)
    with tempfile.NamedTemporaryFile("wb", suffix=".txt") as f:
        f.write("\n".join(texts).encode())
        f.flush()
        command = ["java", "-cp", str(JAR), "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines"]
        command += ["-lowerCase"] if lower else []
        done = subprocess.run([*command, f.name], capture_output=True, check=True)
    said = done.stdout.decode().split("\n")
    return said + [""] * (len(texts) - len(said))
