package weights

import (
	"slices"
	"strings"
	"unicode"
)

// globalKind says how a class or function named in a pickle is treated.
type globalKind uint8

const (
	globalRefused globalKind = iota // the whole file is refused
	globalKnown                     // makes a tensor, a container, or data without either, as in torchCalls
	globalForeign                   // a class or function that isn't known: its objects are skipped and named in a warning
)

// judgeGlobal decides how to treat a name. A pickle makes an object by naming a class or
// a function with its arguments. Gaze never calls either, so an unknown name does no
// harm, and most objects that scripts save beside the weights (settings, enumerations,
// records) have classes of their own. A name is refused if only a pickle that was made to
// run a program on its reader's machine would use it, so that the user learns of it: in
// the standard library, every name that isn't known to make data; in other packages,
// every name that is known to run code.
func judgeGlobal(name pickleGlobal) globalKind {
	if _, ok := torchCalls[name]; ok {
		return globalKnown
	}
	if _, ok := torchDTypes[name]; ok {
		return globalKnown
	}
	if _, ok := torchStorages[name]; ok {
		return globalKnown
	}
	parts := strings.Split(string(name), ".")
	if len(parts) < 2 || slices.ContainsFunc(parts, func(p string) bool { return !isIdentifier(p) }) {
		return globalRefused
	}
	if isStandardModule(parts[0]) {
		return standardGlobal(parts)
	}
	for _, prefix := range runsCode {
		if string(name) == prefix || strings.HasPrefix(string(name), prefix+".") {
			return globalRefused
		}
	}
	if reachesCode(parts[1:]) {
		return globalRefused
	}
	return globalForeign
}

// reachesCode reports whether the parts of a name after the first lead to code that runs
// programs: os.system can be reached through any module that imports os, and everything
// can be reached through Python's special attributes (__…__).
func reachesCode(parts []string) bool {
	if slices.Contains(codeFunctions, parts[len(parts)-1]) {
		return true
	}
	return slices.ContainsFunc(parts, func(p string) bool {
		return slices.Contains(codeModules, p) || strings.HasPrefix(p, "__") && strings.HasSuffix(p, "__")
	})
}

// isIdentifier reports whether s is a valid Python identifier.
func isIdentifier(s string) bool {
	for i, c := range s {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return s != "" && len(s) <= 200
}

// standardGlobal decides how to treat a name of Python's standard library.
func standardGlobal(parts []string) globalKind {
	name := strings.Join(parts, ".")
	last := parts[len(parts)-1]
	switch {
	case slices.Contains(standardData, name):
		return globalKnown
	case slices.Contains(standardDataModules, parts[0]) && !reachesCode(parts[1:]) && !slices.ContainsFunc(parts[1:], isPrivate):
		return globalKnown
	case parts[0] == "builtins" && len(parts) == 2 && unicode.IsUpper(rune(last[0])) &&
		(strings.HasSuffix(last, "Error") || strings.HasSuffix(last, "Exception") || strings.HasSuffix(last, "Warning")):
		return globalKnown
	}
	return globalRefused
}

// isPrivate reports whether a part of a name is private, except for the private names
// used in pickles of dates, paths and arrays.
func isPrivate(part string) bool {
	return strings.HasPrefix(part, "_") && part != "_local" && part != "_unpickle" && part != "_array_reconstructor"
}

// standardDataModules are modules of the standard library in which every name makes data
// or computes with it: numbers, dates, paths, records, types.
var standardDataModules = strings.Fields(
	"collections _collections_abc dataclasses datetime _datetime zoneinfo decimal _decimal fractions numbers enum ipaddress pathlib typing abc array calendar string textwrap random math cmath statistics exceptions UserDict UserList UserString")

// standardData are single names that are equally harmless.
var standardData = strings.Fields(`
	builtins.bool builtins.bytearray builtins.bytes builtins.complex builtins.dict builtins.Ellipsis builtins.float
	builtins.frozenset builtins.int builtins.list builtins.NotImplemented builtins.object builtins.range builtins.set
	builtins.abs builtins.all builtins.any builtins.enumerate builtins.iter builtins.len builtins.max builtins.min
	builtins.reversed builtins.round builtins.sorted builtins.sum builtins.zip
	builtins.slice builtins.str builtins.tuple builtins.type builtins.xrange builtins.long builtins.unicode builtins.basestring
	argparse.Namespace _codecs.encode copyreg._reconstructor copyreg.__newobj__ copyreg.__newobj_ex__
	copy_reg._reconstructor copy_reg.__newobj__ copy_reg.__newobj_ex__
	_io.BytesIO _io.StringIO io.BytesIO io.StringIO _operator.itemgetter _operator.add _operator.mul _operator.sub _operator.truediv
	functools.partial inspect._empty itertools.count logging.getLogger operator.itemgetter re._compile
	time.struct_time types.GenericAlias types.MappingProxyType types.NoneType types.SimpleNamespace types.UnionType
	uuid.SafeUUID uuid.UUID weakref.WeakKeyDictionary weakref.WeakValueDictionary`)

// runsCode are names and whole modules of other packages that load or run code.
var runsCode = strings.Fields(`
	torch.load torch.save torch.hub torch.jit torch.package torch.storage._load_from_bytes torch.serialization.load
	torch.serialization._load torch.serialization._legacy_load torch.utils.cpp_extension torch.utils.collect_env
	torch.utils.bottleneck torch.utils._config_module torch.utils.data.datapipes torch.fx torch.export torch.ops torch.classes
	torch.compile torch.multiprocessing torch.distributed.run torch.distributed.launch torch.distributed.elastic
	torch._inductor torch._dynamo torch._export torch._higher_order_ops torch.testing torch._C._jit
	numpy.load numpy.fromfile numpy.memmap numpy.save numpy.savez numpy.testing numpy.f2py numpy.distutils numpy.ctypeslib
	numpy.lib.npyio numpy.lib.format numpy.DataSource
	pandas.read_pickle pandas.eval pandas.io scipy.io joblib dill cloudpickle jsonpickle marshmallow yaml ruamel pip setuptools
	pkg_resources IPython ipykernel requests httpx aiohttp urllib3 paramiko fabric invoke pexpect ptyprocess psutil sh cffi
	tensorflow keras jax.experimental numexpr pydantic.v1.utils.import_string django flask tornado twisted gevent celery`)

// codeModules are modules that may be reached through another package's names.
// codeFunctions are names of functions that load or run code in any package.
var (
	codeModules = strings.Fields(`
	os posix nt sys subprocess builtins importlib shutil socket pickle cPickle ctypes pty runpy marshal webbrowser`)
	codeFunctions = strings.Fields(`
	eval exec execfile compile system popen Popen check_call check_output getoutput getstatusoutput import_module getattr
	setattr runcode run_path run_module load_module load_library read_pickle loads _load_from_bytes`)
)

// isStandardModule reports whether a name is a module of the standard library of Python
// 3.11, or of Python 2 or older versions of Python 3.
func isStandardModule(name string) bool {
	_, ok := slices.BinarySearch(standardModules, name)
	return ok
}

var standardModules = sortedFields(`
	__future__ _abc _aix_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs _codecs_cn _codecs_hk
	_codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _compat_pickle _compression _contextvars
	_crypt _csv _ctypes _curses _curses_panel _datetime _dbm _decimal _elementtree _frozen_importlib
	_frozen_importlib_external _functools _gdbm _hashlib _heapq _imp _io _json _locale _lsprof _lzma _markupbase _md5 _msi
	_multibytecodec _multiprocessing _opcode _operator _osx_support _overlapped _pickle _posixshmem _posixsubprocess _py_abc
	_pydecimal _pyio _queue _random _scproxy _sha1 _sha256 _sha3 _sha512 _signal _sitebuiltins _socket _sqlite3 _sre _ssl
	_stat _statistics _string _strptime _struct _symtable _thread _threading_local _tkinter _tokenize _tracemalloc _typing
	_uuid _warnings _weakref _weakrefset _winapi _zoneinfo abc aifc antigravity argparse array ast asynchat asyncio asyncore
	atexit audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop
	collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses
	dataclasses datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl
	filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib
	heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache
	locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis
	nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes pkgutil
	platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue
	quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal
	site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string
	stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap
	this threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing
	unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc
	zipapp zipfile zipimport zlib zoneinfo annotationlib compression
	__builtin__ BaseHTTPServer ConfigParser Queue StringIO SocketServer UserDict UserList UserString cPickle cStringIO
	commands copy_reg dl exceptions formatter httplib imputil ihooks popen2 posixfile rexec rfc822 riscos sets
	thread urllib2 urlparse xmlrpclib`)

func sortedFields(text string) []string {
	fields := strings.Fields(text)
	slices.Sort(fields)
	return fields
}
