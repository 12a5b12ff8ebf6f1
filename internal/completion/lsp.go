package completion

import "encoding/json"

// The parts of the Language Server Protocol 3.17 that are used here, by the protocol's own
// names (https://microsoft.github.io/language-server-protocol).

// lspPosition is a place in a document: a line from 0 and a column in UTF-16 code units.
type lspPosition struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type lspRange struct {
	Start lspPosition `json:"start"`
	End   lspPosition `json:"end"`
}

type lspDocument struct {
	URI        string `json:"uri"`
	LanguageID string `json:"languageId,omitempty"`
	Version    int    `json:"version,omitempty"`
	Text       string `json:"text,omitempty"`
}

// lspPlace asks for what is at a position of a document.
type lspPlace struct {
	Document lspDocument `json:"textDocument"`
	Position lspPosition `json:"position"`
}

type lspCompletionList struct {
	Items []lspItem `json:"items"`
}

type lspItem struct {
	Label  string `json:"label"`
	Kind   int    `json:"kind"`
	Detail string `json:"detail"`
	Edit   *struct {
		Range   lspRange `json:"range"`
		NewText string   `json:"newText"`
	} `json:"textEdit"`
}

type lspHover struct {
	Contents struct {
		Kind  string `json:"kind"`
		Value string `json:"value"`
	} `json:"contents"`
}

type lspSignatureHelp struct {
	Signatures []struct {
		Label         string          `json:"label"`
		Documentation json.RawMessage `json:"documentation"`
		Parameters    []struct {
			Label string `json:"label"`
		} `json:"parameters"`
		ActiveParameter *int `json:"activeParameter"`
	} `json:"signatures"`
	ActiveSignature int `json:"activeSignature"`
	ActiveParameter int `json:"activeParameter"`
}

// jupyterType says what Jupyter's front ends call a CompletionItemKind; they have an icon and
// a colour for these names.
func jupyterType(kind int) string {
	switch kind {
	case 2, 3, 4: // method, function, constructor
		return "function"
	case 5, 10: // field, property
		return "property"
	case 7, 8, 13, 22, 25: // class, interface, enum, struct, type parameter
		return "class"
	case 9, 17, 19: // module, file, folder: gopls uses them for packages
		return "module"
	case 14: // keyword
		return "keyword"
	case 21: // constant
		return "constant"
	case 6, 12: // variable, value
		return "instance"
	default:
		return "text"
	}
}
