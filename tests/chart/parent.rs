//! The chart as a part of another one.

use std::fs;
use std::path::Path;

use crate::{CHART, helm, path, said};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_parent_chart_switches_it_on_and_off_by_the_usual_condition() {
    let folder = tempfile::tempdir().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let parent = format!(
        "apiVersion: v2\nname: parent\nversion: 0.1.0\n\
         dependencies: [{{ name: dhmc-controller, version: {version}, condition: dhmc-controller.enabled }}]\n"
    );
    fs::write(folder.path().join("Chart.yaml"), parent).unwrap();
    copy(&path(CHART), &folder.path().join("charts/dhmc-controller"));
    for (enabled, deployments) in [("true", 1), ("false", 0)] {
        let values = format!("dhmc-controller.enabled={enabled},dhmc-controller.existingConfigMap=desired-state,global.region=x");
        let output = helm(&["template", "x", folder.path().to_str().unwrap(), "--set", &values]);
        assert!(output.status.success(), "{enabled}: {}", said(&output));
        assert_eq!(said(&output).matches("kind: Deployment\n").count(), deployments, "{enabled}");
    }
}
