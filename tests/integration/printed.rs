//! What the binary prints about itself: the schema, completions, manual pages.

use crate::binary::dhmc;
use crate::golden;

#[tokio::test]
async fn the_schema_that_is_printed_is_the_one_that_is_shipped() {
    let shown = golden::in_pipe(dhmc(&["schema"])).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    assert!(shown.out == include_str!("../../config/schema.json"), "{}", shown.out);
}

#[tokio::test]
async fn every_shell_is_told_of_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let shown = golden::in_pipe(dhmc(&["completions", shell])).await;
        assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""), "{shell}");
        for word in ["validate", "status", "completions", "config"] {
            assert!(shown.out.contains(word), "{word} is not in the script for {shell}");
        }
    }
}

#[tokio::test]
async fn bash_completes_commands_and_the_values_of_flags() {
    let script = golden::in_pipe(dhmc(&["completions", "bash"])).await.out;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("completions");
    std::fs::write(&file, script).unwrap();
    for (words, expected) in [("val", "validate"), ("validate --output gi", "github"), ("status --st", "--state")] {
        let words: Vec<String> =
            ["dhmc-controller"].into_iter().chain(words.split(' ')).map(|word| format!("'{word}'")).collect();
        let ask = format!(
            "source {}; known=($(complete -p dhmc-controller)); COMP_WORDS=({}); COMP_CWORD={}; \
             \"${{known[-2]}}\" dhmc-controller {} {}; echo \"${{COMPREPLY[@]}}\"",
            file.display(),
            words.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = std::process::Command::new("bash").args(["-c", &ask]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected, "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test]
async fn every_command_has_a_page_with_its_examples_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("new/man1");
    let shown = golden::in_pipe(dhmc(&["man", "--directory", pages.to_str().unwrap()])).await;
    assert_eq!((shown.code, shown.out.as_str(), shown.err.as_str()), (Some(0), "", ""));
    let page = |name: &str| std::fs::read_to_string(pages.join(format!("dhmc-controller{name}.1"))).unwrap();
    let first = page("");
    assert_eq!(golden::in_pipe(dhmc(&["man"])).await.out, first);
    for command in ["run", "validate", "status"] {
        assert!(first.contains(&format!("dhmc\\-controller\\-{command}(1)")), "{first}");
        let page = page(&format!("-{command}"));
        assert!(page.contains(".TH") && page.contains("Examples:") && page.contains("Exit codes:"), "{page}");
    }
}

#[tokio::test]
async fn pages_that_cannot_be_written_are_told_with_the_reason() {
    let shown = golden::in_pipe(dhmc(&["man", "--directory", "/proc/nowhere"])).await;
    assert_eq!(shown.code, Some(1));
    assert!(shown.err.starts_with("dhmc-controller: cannot write to /proc/nowhere: "), "{}", shown.err);
}
