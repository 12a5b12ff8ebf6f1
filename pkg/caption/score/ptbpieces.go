package score

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// pieces are the building blocks of rules. In a pattern, a name in braces stands for one. A
// piece may use those before it.
var pieces = []struct{ name, pattern string }{
	{"alpha", "[" + class(letters) + "]"},
	{"digit", "[" + class(digits) + "]"},
	{"alnum", "[" + class(letters) + class(digits) + "]"},
	// A letter of a word may be written as an entity, and a word may contain soft hyphens.
	{"letter", "(?:[" + class(letters) + class(marks) + `\x{AD}]|&[aeiouAEIOU](?:acute|grave|uml);)`},
	{"word", `{letter}(?:{letter}|{digit})*(?:[.!?]{letter}(?:{letter}|{digit})*)*`},

	{"space", `[ \t\x{A0}\x{2000}-\x{200A}\x{3000}]`},
	{"blank", `[ \t\x{A0}\x{2000}-\x{200A}\x{3000}\r\n\x{0B}\x{0C}\x{85}\x{2028}\x{2029}]`},
	// A pair of the 16-bit units that the original reads; most characters are one unit.
	{"twounits", `(?s:[^\x{10000}-\x{10FFFF}].|[\x{10000}-\x{10FFFF}])`},

	{"apos", `(?:['\x{92}\x{2019}]|&apos;)`},
	{"tick", "(?:['`" + `\x{91}\x{92}\x{2018}\x{2019}\x{201B}]|&apos;)`},
	{"ending", `{apos}(?:[msdMSD]|re|ve|ll)`},
	{"not", `n{tick}t`},

	{"tagname", `[A-Za-z][A-Za-z0-9_:.\-]*`},
	{"tag", `<(?:[!?][A-Za-z\-][^>\r\n]*|{tagname}(?: +(?:{tagname}|{tagname} *= *(?:'[^']*'|"[^"]*")))* */?|/{tagname}) *>`},

	{"num", `(?:{digit}+|{digit}*(?:[.:,\x{AD}\x{66B}\x{66C}]{digit}+)+)`},
	{"hyphen", `[\-_\x{58A}\x{2010}\x{2011}]`},
	{"insentence", `[,;:\x{3001}]`},

	{"country", `(?:(?:Canada|Sino|Korean|EU|Japan|non)-U\.S|U\.S\.-(?:U\.K|U\.S\.S\.R))`},
	{"acronym", `(?:[A-Za-z](?:\.[A-Za-z])*|{country})`},
	{"dotted", `(?:[A-Za-z](?:\.[A-Za-z])+|{country})`},
	{"titled", `(?:` + titles + `|vs|Alex|Wm|Jos|Cie|a\.k\.a|cf|TREAS|Ph|Invt|Elec|Natl|M[ft]g|Dept|{acronym})`},
	{"short", `(?:` + months + `|` + days + `|` + states + `|` + companies + `)\.`},
	{"numbered", `(?:ca|figs?|prop|nos?|art|bldg|pp|op)\.`},

	{"compound", `[A-Za-z0-9][A-Za-z0-9.,\x{AD}]*(?:-(?:[A-Za-z0-9\x{AD}]+|{dotted}\.))+`},
	{"part", `(?:[dDoOlL]{tick}{alnum})?{alnum}+`},
	{"hyphenated", `{part}(?:{hyphen}{part})*`},
	{"joined", `[A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+`},
}

// Abbreviations that end in a period. A capital in brackets must be a capital, since the
// word in small letters is a common one. The others are matched in any case.
const (
	months    = `Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec`
	days      = `Mon|Tue|Tues|Wed|Thu|Thurs|Fri`
	states    = `Ala|Ariz|[A]z|[A]rk|Calif|Colo|Conn|Ct|Dak|[D]el|Fla|Ga|[I]ll|Ind|Kans?|Ky|[L]a|[M]ass|Md|Mich|Minn|[M]iss|Mo|Mont|Neb|Nev|Okla|[O]re|[P]a|Penn|Tenn|[T]ex|Va|Vt|[W]ash|Wisc?|Wyo`
	companies = `Inc|Cos?|Corp|Pp?t[ye]s?|Ltd|Plc|Rt|Bancorp|Bhd|Assn|Univ|Intl|Sys|tel|est|ext|sq|Jr|Sr|Bros|(?:Ed|Ph)\.D|Blvd|Rd|Esq|etc|al|seq|Bldg`
	titles    = `Mr|Mrs|Ms|[M]iss|Drs?|Profs?|Sens?|Reps?|Attys?|Lt|Col|Gen|Messrs|Govs?|Adm|Rev|Maj|Sgt|Cpl|Pvt|Capt|Ste?|Ave|Pres|Lieut|Hon|Brig|Co?mdr|Pfc|Spc|Supts?|Det|Mt|Ft|Adj|Adv|Asst|Assoc|Ens|Insp|Mlle|Mme|Msgr|Sfc`
)

// openers are words that begin a sentence: a period before one ended the last sentence.
const openers = `[A]bout|[A]ccording|[A]dditionally|[A]fter|[A]n|[A]|[A]s|[A]t|[B]ut|[E]arlier|[H]e|[H]er|[H]ere|[H]owever|[I]f|[I]n|[I]t|[L]ast|[M]any|[M]ore|[M]r\.|[M]s\.|[N]ow|[O]nce|[O]ne|[O]ther|[O]ur|[S]he|[S]ince|[S]o|[S]ome|[S]uch|[T]hat|[T]he|[T]heir|[T]hen|[T]here|[T]hese|[T]hey|[T]his|[W]e|[W]hen|[W]hile|[W]hat|[Y]et|[Y]ou`

// class writes ranges as the inside of a character class.
func class(ranges [][2]rune) string {
	var b strings.Builder
	for _, r := range ranges {
		fmt.Fprintf(&b, `\x{%X}-\x{%X}`, r[0], r[1])
	}
	return b.String()
}

var pieceName = regexp.MustCompile(`\{[a-z]+\}`)

// expand replaces the names of pieces by the pieces.
func expand(pattern string, known map[string]string) string {
	return pieceName.ReplaceAllStringFunc(pattern, func(name string) string {
		p, ok := known[name]
		if !ok {
			panic("score: no piece " + name)
		}
		return p
	})
}

// atoms are the parts of a pattern: an escape, a class, a piece's name, the head
// of a group, or one character.
var atoms = regexp.MustCompile(`(?s)\\x\{[^}]*\}|\\.|\[(?:\\.|[^\]])*\]|\{[a-z]+\}|\(\?s?:|.`)

// caseless makes the letters of a pattern match in any case, except those in a character
// class.
func caseless(pattern string) string {
	return atoms.ReplaceAllStringFunc(pattern, func(atom string) string {
		if r := rune(atom[0]); len(atom) == 1 && unicode.IsLetter(r) {
			return anyCase(r)
		}
		return atom
	})
}

// anyCase is the class of all characters that fold to a letter. The kelvin sign folds to k,
// the dotless and the dotted i to i.
func anyCase(r rune) string {
	all := string(r)
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		all += string(f)
	}
	if unicode.ToLower(r) == 'i' {
		all += "\u0130\u0131"
	}
	return "[" + all + "]"
}
