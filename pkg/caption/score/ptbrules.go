package score

import (
	"regexp"
	"sync"
	"unicode/utf8"
)

// A rule describes a kind of token: the pattern of its text, the pattern of what must
// follow (which counts for the longest match but belongs to the next token), and what
// becomes of the text. The rule with the longest match wins, and the first of several.
type rule struct {
	token, after string
	write        writer
}

// A writer turns the text that a rule has matched into a token and returns how many of its
// bytes are consumed. An empty token is left out.
type writer func(text string) (token string, used int)

// The order of the rules matters where two match equally long texts.
//
// Some distinctions of the original are left out because they have no effect once
// punctuation is removed: which way a quote opens, and whether a period that ends an
// abbreviation also ends the sentence.
var rules = []rule{
	{`c\+\+`, ``, keep},
	{`(?:c|f)#`, ``, keep},
	{`cannot`, ``, all(3)},
	{`'twas`, ``, all(3)},
	{`'tis`, ``, all(2)},
	{`gonna|gotta|lemme|gimme|wanna`, ``, all(2)},
	{`{tag}`, ``, unspaced},
	{`&(?:MD|mdash|ndash);|[\x{96}\x{97}\x{2013}-\x{2015}]`, ``, as("--")},
	{`&amp;`, ``, ampersand},
	{`&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);`, ``, keep},

	{`{word}`, `{ending}`, unhyphened},
	{`[A-Za-z\x{AD}]*[A-MO-Za-mo-z]\x{AD}*`, `{not}`, unhyphened},
	{`{word}`, ``, unhyphened},
	{`{apos}n{apos}?|[lLdDjJ]{apos}|(?:Dunkin|somethin|ol){apos}|{apos}(?:em|till?|cause|[2-9]0s)|` +
		`[A-HJ-XZn]{tick}{alpha}{alpha}+|{alpha}+[aeiouyAEIOUY]{tick}[aeiouA-Z]{alpha}*|` +
		`cont'd\.?|'twas|nor'easter|c'mon|e'er|s'mores|ev'ry|li'l|nat'l|O{tick}o`, ``, keep},
	{`y{apos}`, `{alpha}`, keep},

	{`https?://[^ \t\n\f\r"<>|(){}]+[^ \t\n\f\r"<>|.!?(){},\-]`, ``, keep},
	{`(?:www\.(?:[^ \t\n\f\r"<>|.!?(){},]+\.)+[a-zA-Z]{2,4}|(?:[^ \t\n\f\r"` + "`" + `'<>|.!?(){},-_$]+\.)+(?:com|net|org|edu))` +
		`(?:/[^ \t\n\f\r"<>|()]+[^ \t\n\f\r"<>|.!?(){},\-])?`, ``, keep},
	{`(?:&lt;|<)?[a-zA-Z0-9][^ \t\n\f\r"<>|()\x{A0}{}]*@(?:[^ \t\n\f\r"<>|(){}.\x{A0}]+\.)*[^ \t\n\f\r"<>|(){}.\x{A0}]+(?:&gt;|>)?`, ``, keep},
	{`@[a-zA-Z_][a-zA-Z_0-9]*|#{letter}+`, ``, keep},
	{`{ending}`, `[^A-Za-z]`, quote},
	{`{not}`, `[^A-Za-z]`, quote},

	{`{digit}{1,2}[\-/]{digit}{1,2}[\-/]{digit}{2,4}`, ``, keep},
	{`[\-+]?{num}`, ``, unhyphened},
	{`[\x{207A}\x{207B}\x{208A}\x{208B}]?(?:[\x{2070}\x{B9}\x{B2}\x{B3}\x{2074}-\x{2079}]+|[\x{2080}-\x{2089}]+)`, ``, keep},
	{`(?:{digit}{1,4}[\- \x{A0}])?{digit}{1,4}(?:\\?/|\x{2044}){digit}{1,4}`, ``, unspaced},
	{`[\x{BC}-\x{BE}\x{2153}-\x{215E}]`, ``, fraction},
	{`-(?:RRB|LRB|RCB|LCB|RSB|LSB)-|C\.D\.s|pro-|anti-|S(?:&|&amp;)P-500|S(?:&|&amp;)Ls|Cap{apos}n|c{apos}est`, ``, ampersand},
	{`[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}`, ``, keep},
	{`[A-Z]*\$|#`, ``, keep},
	{`[\x{A2}-\x{A5}\x{80}\x{20A0}\x{20A4}\x{20AC}\x{60B}\x{E3F}\x{FFE0}\x{FFE1}\x{FFE5}\x{FFE6}]`, ``, currency},

	{`{acronym}\.`, `{blank}+(?:` + openers + `|{tag}){blank}`, initial},
	{`{numbered}`, `{blank}?{digit}`, keep},
	{`(?:pt[eyEY]|co)\.`, `{space}(?:ltd|lim)`, keep},
	{`{short}`, `{twounits}`, keep},
	{`{short}`, ``, reread},
	{`{titled}\.`, ``, keep},
	{`{titled}`, `{space}`, keep},
	{`{acronym}`, `{blank}`, keep},
	{`{apos}[0-9][0-9]`, `{blank}`, keep},
	{`(?:{letter}|{digit})+(?:\.(?:{letter}|{digit})+)*\.(?:` + extensions + `)`, `(?:{blank}|[.?!,])`, keep},
	{`{word}\.`, `{insentence}`, unhyphened},
	{`(?:\([0-9]{2,3}\)[ \x{A0}]?|(?:\+\+?)?(?:[0-9]{2,4}[\- \x{A0}])?[0-9]{2,4}[\- \x{A0}])[0-9]{3,4}[\- \x{A0}]?[0-9]{3,5}|` +
		`(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}`, ``, bracketed},

	{`"|&quot;`, ``, quote},
	{`\x{7F}`, ``, drop},
	{`<|&lt;`, ``, as("<")},
	{`>|&gt;`, ``, as(">")},
	{`[<>]?[:;=][\-o*']?[()DPdpO\\{@|\[\]]`, `[^A-Za-z0-9]`, bracketed},
	{`[\^x=~<>]\.\[\^x=~<>]|[\-\^x=~<>']_[\-\^x=~<>']|\([\-\^x=~<>'][_.]?[\-\^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'` + "`" + `]\)`, ``, bracketed},
	{`\{`, ``, as("-lcb-")},
	{`\}`, ``, as("-rcb-")},
	{`\[`, ``, as("-lsb-")},
	{`\]`, ``, as("-rsb-")},
	{`\(`, ``, as("-lrb-")},
	{`\)`, ``, as("-rrb-")},
	{`-{3,4}`, ``, as("--")},
	{`-+`, ``, keep},
	{`\.{3,5}|(?:\.[ \x{A0}]){2,4}\.|[\x{85}\x{2026}]`, ``, as("...")},
	{`@+|#+|_+|\*+|(?:\\\*){1,3}|[?!]+|[,;:.=/]`, ``, keep},

	{`{compound}\.`, `{insentence}`, unhyphened},
	{`{compound}`, ``, unhyphened},
	{`{hyphenated}\.`, `{insentence}`, keep},
	{`{hyphenated}`, ``, keep},
	{`{joined}\.`, `{insentence}`, ampersand},
	{`{joined}`, ``, ampersand},

	{`'`, `[A-Za-z][^ \t\n\r\x{A0}]`, as("`")},
	{`{ending}|{not}`, ``, quote},
	{"{apos}|''|[`" + `\x{91}-\x{94}\x{2018}-\x{201F}\x{2039}\x{203A}\x{AB}\x{BB}]{1,2}`, ``, quote},
	{`<<|>>`, ``, keep},
	{`[+%&~\^|\\]|[` + class(symbols) + `]`, ``, keep},
	{`&nbsp;`, ``, drop},
}

// extensions are those of file names.
const extensions = `bat|bmp|c|class|cgi|cpp|dll|doc|docx|exe|gif|gz|h|htm|html|jar|java|jpeg|jpg|mov|mp3|pdf|php|pl|png|ppt|ps|py|sql|tar|txt|wav|x|xml|zip`

// grammar is the rules, ready to run.
type grammar struct {
	sync.Mutex // the automaton grows while it matches
	*automaton
	split []*regexp.Regexp // the token and what follows, of rules that have both
}

var english = sync.OnceValue(func() *grammar {
	known := map[string]string{}
	for _, p := range pieces {
		known["{"+p.name+"}"] = expand(caseless(p.pattern), known)
	}
	g := &grammar{split: make([]*regexp.Regexp, len(rules))}
	patterns := make([]string, len(rules))
	for i, r := range rules {
		token, after := expand(caseless(r.token), known), expand(caseless(r.after), known)
		patterns[i] = "(?:" + token + ")" + after
		if after != "" {
			g.split[i] = regexp.MustCompile(`\A(` + token + `)` + after + `\z`)
		}
	}
	g.automaton = newAutomaton(patterns)
	return g
})

// next reads the first token of text. It returns the token, empty for text without one, and
// how many bytes it consumed, at least one.
func (g *grammar) next(text string) (token string, used int) {
	i, length := g.longest(text)
	if i < 0 {
		_, size := utf8.DecodeRuneInString(text) // no rule knows it
		return "", size
	}
	text = text[:length]
	if g.split[i] != nil {
		text = text[:g.split[i].FindStringSubmatchIndex(text)[3]]
	}
	return rules[i].write(text)
}
