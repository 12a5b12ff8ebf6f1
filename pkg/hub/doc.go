// Package hub knows the checkpoints Gaze is used with: where each comes from,
// under which licence, and how to bring it into the cache folder.
//
// A download can be cut at any moment and goes on where it stopped; a file
// appears under its own name only when it is whole and its checksum is right.
// Where the catalogue has no SHA-256 of a file, the one its server declares is
// used, and what arrived is written to a record beside it ([Record]), so that
// later damage is found.
//
// These environment variables point elsewhere, to a mirror or to a test server:
//
//	GAZE_CACHE            the cache folder (otherwise $XDG_CACHE_HOME/gaze or the system's)
//	HF_ENDPOINT           instead of https://huggingface.co
//	GAZE_GITHUB_ENDPOINT  instead of https://github.com
//	GAZE_OXFORD_ENDPOINT  instead of the Oxford-IIIT Pet set's own two (the folder with its archives)
//	PIP_INDEX_URL         instead of https://pypi.org/simple (pip's own configuration is read too)
//
// A value that is no address, http:// or https://, is an error that names the variable.
// The usual HTTPS_PROXY and SSL_CERT_FILE work as everywhere in Go.
package hub
