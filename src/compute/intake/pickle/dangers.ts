/*
 * What a stream must not import, because loading it could then do anything: a list of names never is complete, and
 * says so in the documents; what it lets through is listed in what intake found.
 */

const modules = new Set(
  (
    'os posix nt subprocess sys shutil socket socketserver ssl http urllib urllib2 urllib3 requests httpx aiohttp ' +
    'ftplib smtplib telnetlib poplib imaplib nntplib xmlrpc asyncio runpy pty tty ctypes _ctypes cffi importlib imp ' +
    'pkgutil zipimport code codeop commands popen2 webbrowser pickle _pickle cPickle marshal shelve tempfile pdb bdb ' +
    'trace timeit cProfile profile doctest idlelib lib2to3 distutils setuptools pip ensurepip venv gc inspect signal ' +
    'resource fcntl mmap site sysconfig platform threading _thread multiprocessing concurrent faulthandler atexit ' +
    'builtins __builtin__ __builtins__ _io io antigravity turtle tkinter winreg _winapi msvcrt fileinput glob getpass'
  ).split(' '),
);

/** Names of those modules that do no harm by themselves. */
const harmless = new Set(
  [
    'builtins __builtin__:object set frozenset dict list tuple int float complex bool str bytes bytearray slice range ' +
      'type NoneType NotImplementedType ellipsis Ellipsis NotImplemented long unicode xrange getattr property ' +
      'classmethod staticmethod super len min max sum abs round sorted reversed enumerate zip map filter print repr ' +
      'Exception ValueError TypeError KeyError IndexError RuntimeError NotImplementedError AttributeError ' +
      'StopIteration ArithmeticError ZeroDivisionError OverflowError Warning UserWarning DeprecationWarning',
    '_io io:BytesIO StringIO',
    'inspect:Signature Parameter _ParameterKind _empty',
    'threading _thread:Lock RLock _make_lock lock',
  ].flatMap((line) => {
    const [of = '', names = ''] = line.split(':');
    return of.split(' ').flatMap((module) => names.split(' ').map((name) => `${module}\n${name}`));
  }),
);

const names = new Set(
  (
    'system popen Popen exec eval execfile execWrapper runstring exec_command check_call check_output getoutput ' +
    'getstatusoutput run_module run_path load_module import_module __import__ read_pickle loads unpickle spawn ' +
    'spawnl spawnv execv execve fork remove unlink rmtree rmdir open compile __globals__ __builtins__ __subclasses__ ' +
    '__reduce__ __reduce_ex__ __getattribute__ __code__'
  ).split(' '),
);

const loaders = new Set([
  'joblib',
  'torch',
  'numpy',
  'dill',
  'cloudpickle',
  'pandas',
  'mlflow',
  'keras',
  'tensorflow',
]);

/** Functions and classes of their own that are written into the stream: code that nobody sees in the repository. */
const ownCode = [
  'types\nCodeType',
  'types\nFunctionType',
  'cloudpickle.cloudpickle\n_make_function',
  'cloudpickle.cloudpickle\n_make_skel_func',
  'cloudpickle.cloudpickle\n_make_skeleton_class',
  'cloudpickle.cloudpickle\n_builtin_type',
  'cloudpickle.cloudpickle\nsubimport',
  'dill._dill\n_create_function',
  'dill._dill\n_create_code',
];

/** Ways to reach an attribute by a text: harmless, unless the text is the name of something that is not. */
const reaches = [
  'builtins\ngetattr',
  '__builtin__\ngetattr',
  'operator\nattrgetter',
  '_operator\nattrgetter',
  'operator\nmethodcaller',
  '_operator\nmethodcaller',
];

const withoutUnderscores = (name: string): string => name.replace(/^_+/, '');

/** Why an import is refused, or null. */
const dangerOf = (module: string, name: string): string | null => {
  if (harmless.has(`${module}\n${name}`)) return null;
  const shown = `${module}.${name}`;
  const [top = ''] = module.split('.');
  if (modules.has(top)) return shown;
  const parts = [...module.split('.').slice(1), ...name.split('.')];
  // A module reached through another one (logging.os.system) is that module.
  if (parts.some((part) => names.has(part) || modules.has(withoutUnderscores(part)))) return shown;
  return loaders.has(top) && ['load', 'load_model', 'eval'].includes(parts.at(-1) ?? '') ? shown : null;
};

/** What was found in a stream. */
export interface Judgement {
  /** Imports that are refused. */
  readonly dangers: readonly string[];
  /** Whether it holds code of its own. */
  readonly carriesCode: boolean;
}

/** Judges what a stream would import. */
export const judge = ({
  imports,
  texts,
}: {
  imports: ReadonlySet<string>;
  texts: ReadonlySet<string>;
}): Judgement => {
  const dangers = [...imports].flatMap((entry) => {
    const [module = '', name = ''] = entry.split('\n');
    return dangerOf(module, name) ?? [];
  });
  const reached = reaches.some((one) => imports.has(one)) ? [...texts].filter((text) => names.has(text)) : [];
  return {
    dangers: [...dangers, ...reached.map((text) => `an attribute by name: ${text}`)],
    carriesCode: ownCode.some((one) => imports.has(one)),
  };
};
