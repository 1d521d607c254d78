/** One step of a build: a program and its arguments, run in the client's folder. */
export type Command = readonly [program: string, ...args: string[]];

/** A program of `examples/` as a person would build and run it. `FILE [KEY] [TYPE] [--meta NAME=VALUE]…` follows the command. */
export type Client = {
  readonly name: string;
  readonly build: readonly Command[];
  readonly run: Command;
  /** A folder next to this file whose files the client needs as well as those of `examples/`. */
  readonly harness?: string;
  /** Its program for large files: sends them in parts, and continues an upload. `FILE [KEY] [TYPE]` follows the command. */
  readonly large?: Command;
  /** Whether it composes names and keys (NFC): it does where the standard library of the language can. */
  readonly composes: boolean;
  /**
   * The Content-Type that it adds if the caller sets none: the text of its source that has to change
   * for that, if any, and the type that it then sends. `null`: it never adds one.
   */
  readonly ownType: {
    readonly file?: string;
    readonly text?: string;
    readonly becomes?: string;
    readonly sends: RegExp | null;
  };
};

const JAVA_HEAP = '-Xmx64m';
const MCS: Command = ['mcs', '-langversion:7', '-r:System.Net.Http', '-r:System.Runtime.Serialization'];
const FORM = /^application\/x-www-form-urlencoded$/;

export const CLIENTS: readonly Client[] = [
  {
    name: 'curl',
    composes: false,
    build: [['jq', '--version']],
    run: ['bash', 'upload.sh'],
    ownType: {
      file: 'upload.sh',
      text: '--upload-file "$file"',
      becomes: '--data-binary @"$file"',
      sends: FORM,
    },
  },
  {
    name: 'java',
    composes: true,
    build: [['mvn', '--quiet', '--batch-mode', 'package']],
    run: ['java', JAVA_HEAP, '-jar', 'target/upload.jar'],
    large: ['java', JAVA_HEAP, '-cp', 'target/upload.jar', 'UploadLarge'],
    ownType: {
      file: 'Upload.java',
      text: 'new FileEntity(file, null)',
      becomes: 'new FileEntity(file, ContentType.DEFAULT_BINARY)',
      sends: /^application\/octet-stream$/,
    },
  },
  {
    name: 'go',
    composes: false,
    build: [
      ['go', 'vet', 'upload.go'],
      ['go', 'build', 'upload.go'],
      ['go', 'vet', 'large/upload.go'],
      ['go', 'build', '-o', 'upload-large', 'large/upload.go'],
    ],
    run: ['./upload'],
    large: ['./upload-large'],
    ownType: { sends: null },
  },
  {
    name: 'python',
    composes: true,
    build: [
      ['python3', '-m', 'venv', '.venv'],
      ['.venv/bin/pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt'],
    ],
    run: ['.venv/bin/python', 'upload.py'],
    large: ['.venv/bin/python', 'upload_large.py'],
    ownType: {
      file: 'upload.py',
      text: 'data=body',
      becomes: 'files={"file": body}',
      sends: /^multipart\/form-data; boundary=/,
    },
  },
  {
    name: 'node',
    composes: true,
    build: [['npm', 'ci', '--silent']],
    run: ['node', 'upload.mjs'],
    large: ['node', 'upload-large.mjs'],
    ownType: { sends: FORM },
  },
  {
    name: 'csharp',
    composes: true,
    build: [
      [...MCS, 'Upload.cs'],
      [...MCS, 'UploadLarge.cs'],
      // Upload.csproj compiles both files together.
      [...MCS, '-main:Upload', '-out:both.exe', 'Upload.cs', 'UploadLarge.cs'],
    ],
    run: ['mono', 'Upload.exe'],
    large: ['mono', 'UploadLarge.exe'],
    ownType: {
      file: 'Upload.cs',
      text: 'new FileContent(path)',
      becomes: 'new StringContent(File.ReadAllText(path))',
      sends: /^text\/plain; charset=utf-8$/,
    },
  },
  {
    name: 'cpp',
    composes: false,
    build: [
      ['g++', '-std=c++17', '-Wall', '-Wextra', '-Werror', '-O1', 'upload.cpp', '-o', 'upload', '-lcurl'],
    ],
    run: ['./upload'],
    ownType: {
      file: 'upload.cpp',
      text: 'CURLOPT_UPLOAD, 1L',
      becomes: 'CURLOPT_COPYPOSTFIELDS, "Hello, bucket"',
      sends: FORM,
    },
  },
  {
    name: 'android',
    composes: true,
    harness: 'android',
    build: [
      ['mvn', '--quiet', '--batch-mode', 'package'],
      // Java loads the .jar within an .aar only.
      ['jar', '--extract', '--file', 'target/lib/monitor-1.8.0.aar', 'classes.jar'],
    ],
    run: [
      'java',
      // The file would not fit.
      '-Xmx256m',
      '--add-opens=java.base/java.io=ALL-UNNAMED',
      // The next upload shall not meet a connection that the one before left open.
      '-Dhttp.keepAlive=false',
      '-Drobolectric.offline=true',
      '-Drobolectric.dependency.dir=target/platform',
      '-classpath',
      'target/classes:target/lib/*:target/stubs/*:classes.jar',
      'com.example.upload.PhoneKt',
    ],
    ownType: { sends: null },
  },
];
