//! The first reading: what it takes, what it refuses, and how soon.

use std::io;

use super::*;

#[tokio::test]
async fn a_bad_start_says_which_file_and_what_to_do() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("directory")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    File::create(at("huge")).unwrap().set_len(10 << 20).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let cases = [
        (at("missing"), "there is no such file; create it, or name another"),
        (at("dangling"), "there is no such file; create it, or name another"),
        (at("directory"), "it is a directory with no *.yaml in it; put one there, or name another"),
        (at("pipe"), "it is a pipe, a socket or a device; name a regular file"),
        (at("socket"), "it is a pipe, a socket or a device; name a regular file"),
        ("/dev/zero".into(), "it is a pipe, a socket or a device; name a regular file"),
        (at("huge"), "it is larger than 1 MiB, which no desired state is; name another file"),
    ];
    for (path, expected) in cases {
        let opened = timeout(DEADLINE, Source::open(path.clone(), clock)).await.unwrap();
        let expected = format!("cannot read the desired state {}: {expected}", path.display());
        assert_eq!(opened.unwrap_err().to_string(), expected);
    }
    let denied = ReadError::from(io::Error::from(io::ErrorKind::PermissionDenied));
    assert!(denied.to_string().starts_with("permission is denied; let the user"));
}

#[tokio::test]
async fn a_start_with_a_bad_document_tells_every_problem() {
    let (_directory, path) = directory();
    fs::write(&path, document("eu-wset-1: enabled, us-east-2: enabeld")).unwrap();
    let error = Source::open(path.clone(), clock).await.unwrap_err().to_string();
    let file = path.display();
    assert_eq!(
        error,
        format!(
            "the desired state cannot be used:\n\
             {file}:4:14: spec.regions.eu-wset-1: no such region; did you mean eu-west-1?\n\
             {file}:4:45: spec.regions.us-east-2: `enabeld` is not enabled, disabled or unmanaged; did you mean enabled?"
        )
    );
}

#[tokio::test]
async fn every_desired_state_that_is_shipped_as_an_example_loads() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let paths = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let yaml: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    assert!(yaml.len() >= 2);
    for path in yaml {
        open(&path).await;
    }
}

#[test]
fn a_hostile_file_of_full_size_is_refused_in_good_time() {
    let full = |unit: &str| unit.repeat(desired::MAX_BYTES / unit.len());
    let unknown = |indentation: &str| -> String {
        let lines: Vec<String> = (0..50_000).map(|index| format!("{indentation}x{index:06}: y\n")).collect();
        lines.concat()
    };
    let aliased = format!("a: &a {{{}}}\nregions: {{{}}}\n", "x: y, ".repeat(40_000), "r: *a, ".repeat(40_000));
    let hostile = [
        full("["),
        full("{"),
        full("- "),
        full("? "),
        full("a:\n"),
        full("a: "),
        full("!a "),
        full("&a "),
        full("*a "),
        full("[],"),
        full("---\n"),
        full("\""),
        full("'"),
        full("%"),
        full("# "),
        full("|\n"),
        full("\t"),
        full("\n"),
        full("é"),
        format!("[{}", full("a,")),
        format!("x: [{}]", "a,".repeat(500_000)),
        format!("\"{}\": 1", "k".repeat(1_000_000)),
        format!("spec:\n  regions:\n{}", unknown("    ")),
        unknown(""),
        aliased,
    ];
    for yaml in hostile {
        let start = std::time::Instant::now();
        let problems = desired::load(yaml.as_bytes()).unwrap_err();
        let took = start.elapsed();
        assert!(took < DEADLINE, "{took:?} for {:?}", yaml.chars().take(40).collect::<String>());
        assert!(problems.iter().all(|problem| problem.to_string().len() < 1000));
    }
}

#[test]
fn a_hash_is_shown_in_full() {
    let mut hash = [0; 32];
    hash[0] = 0x0a;
    hash[31] = 0xf1;
    assert_eq!(hex(&hash), format!("0a{}f1", "00".repeat(30)));
}
