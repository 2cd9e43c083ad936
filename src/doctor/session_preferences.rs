//! Whether the role allows what Session Manager is told to do in a region: write logs to S3 or `CloudWatch` Logs, encrypt with a
//! key. AWS's own policy for the role allows none of it, and sessions or their logs then fail on every host. Pure.

use serde_json::Value;

use super::finding::{Check, Finding};
use super::policies::RolePolicies;
use crate::cloud::CloudError;
use crate::desired::names::{AccountId, Partition, Region};
use crate::plan::policy_document::On;
use crate::policy::doctor::SESSION_PREFERENCES;

/// Where the preferences are.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The partition.
    pub partition: Partition,
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: &'a Region,
}

/// One thing that hosts have to be allowed.
#[derive(Debug, PartialEq, Eq)]
struct Need {
    action: &'static str,
    /// Every way to name what it is done to; none where that is not known.
    on: Vec<String>,
    /// What fails without it.
    fails: &'static str,
}

/// Judges the preferences of a region.
#[must_use]
pub fn judge(preferences: &Result<Option<String>, CloudError>, role: &RolePolicies, place: Place<'_>) -> Finding {
    let finding = match preferences {
        Err(error) => Finding::unchecked(Check::SessionPreferences, error),
        Ok(None) => Finding::ok(Check::SessionPreferences, "Session Manager has no preferences"),
        Ok(Some(document)) => match inputs(document) {
            Some(inputs) => against_role(&needs(&inputs, place), role),
            None => Finding::not_looked_at(
                Check::SessionPreferences,
                format!("{SESSION_PREFERENCES} is not the JSON of Session Manager's preferences"),
                "save the preferences in the console once, which writes the document anew",
            ),
        },
    };
    finding.in_regions([place.region])
}

fn against_role(needs: &[Need], role: &RolePolicies) -> Finding {
    if needs.is_empty() {
        return Finding::ok(Check::SessionPreferences, "Session Manager is told to use neither S3, CloudWatch Logs nor a key");
    }
    let is_missing = |need: &&Need| {
        let on = if need.on.is_empty() { On::Something } else { On::Any(&need.on) };
        !role.decide(need.action, on).may_work()
    };
    let missing: Vec<&Need> = needs.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Finding::ok(Check::SessionPreferences, "the role allows what Session Manager is told to do");
    }
    let actions = list(missing.iter().map(|need| need.action));
    let fails = list(missing.iter().map(|need| need.fails));
    if !role.are_known() {
        return Finding::not_looked_at(
            Check::SessionPreferences,
            format!("Session Manager's preferences need {actions}; not all policies of the role could be read"),
            "allow this examination to read the role's policies",
        );
    }
    let on = missing.iter().find_map(|need| need.on.first()).map(|on| format!(" (such as on {on})")).unwrap_or_default();
    Finding::warning(
        Check::SessionPreferences,
        format!(
            "Session Manager's preferences need {actions}{on}, which the role does not allow: {fails} on hosts that have only \
             this role"
        ),
        "add a policy that allows it to `role.policies` in the document, or change the preferences of Session Manager",
    )
}

/// Each once, in the order in which they come.
fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut told: Vec<&str> = Vec::new();
    for word in words {
        if !told.contains(&word) {
            told.push(word);
        }
    }
    told.join(", ")
}

fn inputs(document: &str) -> Option<Value> {
    let mut preferences: Value = serde_json::from_str(document).ok().filter(Value::is_object)?;
    Some(preferences["inputs"].take())
}

/// What hosts need for these preferences (user guide, "Create a custom IAM role for Session Manager").
fn needs(inputs: &Value, place: Place<'_>) -> Vec<Need> {
    let Place { partition, account, region } = place;
    let mut needs = Vec::new();
    if let Some(bucket) = text(inputs, "s3BucketName") {
        const FAILS: &str = "logs in S3 fail";
        let bucket = named(bucket).map(|name| format!("arn:{partition}:s3:::{name}"));
        let prefix = text(inputs, "s3KeyPrefix").map(|prefix| format!("{}/", prefix.trim_end_matches('/'))).unwrap_or_default();
        let object = bucket.as_ref().map(|bucket| format!("{bucket}/{prefix}session.log"));
        needs.push(Need { action: "s3:PutObject", on: object.into_iter().collect(), fails: FAILS });
        if inputs["s3EncryptionEnabled"] == true {
            needs.push(Need { action: "s3:GetEncryptionConfiguration", on: bucket.into_iter().collect(), fails: FAILS });
        }
    }
    if let Some(group) = text(inputs, "cloudWatchLogGroupName") {
        const FAILS: &str = "logs in CloudWatch fail";
        let scope = format!("arn:{partition}:logs:{region}:{account}:log-group");
        // Asked of all groups at once: a policy has to allow it on all (as AWS's refusals word it).
        needs.push(Need { action: "logs:DescribeLogGroups", on: vec![format!("{scope}::log-stream:")], fails: FAILS });
        let group = named(group);
        let ways = |ends: &[&str]| -> Vec<String> {
            let Some(name) = group else { return Vec::new() };
            ends.iter().map(|end| format!("{scope}:{name}{end}")).collect()
        };
        // Policies name a group with and without `:*`, and either may be right: a guess on the lenient side.
        for action in ["logs:DescribeLogStreams", "logs:CreateLogStream"] {
            needs.push(Need { action, on: ways(&["", ":*", ":log-stream:session"]), fails: FAILS });
        }
        needs.push(Need { action: "logs:PutLogEvents", on: ways(&[":log-stream:session"]), fails: FAILS });
    }
    if let Some(key) = text(inputs, "kmsKeyId") {
        let arn = match named(key) {
            Some(arn) if arn.starts_with("arn:") && arn.contains(":key/") => Some(arn.to_owned()),
            // An alias may stand for any key.
            Some(alias) if alias.contains("alias/") => None,
            Some(id) => Some(format!("arn:{partition}:kms:{region}:{account}:key/{id}")),
            None => None,
        };
        needs.push(Need { action: "kms:Decrypt", on: arn.into_iter().collect(), fails: "sessions do not start" });
    }
    needs
}

/// A text that says something.
fn text<'a>(inputs: &'a Value, name: &str) -> Option<&'a str> {
    inputs[name].as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A name, unless it is a parameter that is filled in when a session starts.
fn named(text: &str) -> Option<&str> {
    (!text.contains("{{")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::policies::tests::{denied, policies};
    use super::*;
    use crate::doctor::finding::Level;

    const DEFAULT: &str = r#"{"Statement":[{"Effect":"Allow","Action":["ssm:GetDocument","ssmmessages:*"],"Resource":"*"}]}"#;

    fn judged(inputs: &str, policy: &str) -> Finding {
        let document = format!(r#"{{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{inputs}}}"#);
        of(&Ok(Some(document)), &policies(&[("p", policy)]))
    }

    fn of(preferences: &Result<Option<String>, CloudError>, role: &RolePolicies) -> Finding {
        let region = "eu-west-1".parse().unwrap();
        let place = Place { partition: Partition::Aws, account: "111122223333".parse().unwrap(), region: &region };
        judge(preferences, role, place)
    }

    #[test]
    fn no_preferences_and_preferences_that_ask_for_nothing_need_nothing() {
        assert_eq!(of(&Ok(None), &RolePolicies::default()).level, Level::Ok);
        let empty =
            r#"{"s3BucketName":"","s3KeyPrefix":"","s3EncryptionEnabled":true,"cloudWatchLogGroupName":"","kmsKeyId":" "}"#;
        assert_eq!(judged(empty, DEFAULT).level, Level::Ok);
        assert_eq!(judged("{}", DEFAULT).level, Level::Ok);
    }

    #[test]
    fn the_default_policy_does_not_allow_what_logs_and_keys_need() {
        let all = r#"{"s3BucketName":"logs","s3KeyPrefix":"hosts","s3EncryptionEnabled":true,"cloudWatchLogGroupName":"/ssm/sessions","kmsKeyId":"1234"}"#;
        let found = judged(all, DEFAULT);
        assert_eq!(found.level, Level::Warning);
        for action in [
            "s3:PutObject",
            "s3:GetEncryptionConfiguration",
            "logs:DescribeLogGroups",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "kms:Decrypt",
            "logs in S3 fail, logs in CloudWatch fail, sessions do not start",
        ] {
            assert!(found.found.contains(action), "{action}: {}", found.found);
        }
        assert!(
            judged(r#"{"kmsKeyId":"1234"}"#, DEFAULT).found.contains("(such as on arn:aws:kms:eu-west-1:111122223333:key/1234)")
        );
    }

    #[test]
    fn a_policy_for_just_these_things_is_enough() {
        let policy = r#"{"Statement":[
            {"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/hosts/*"},
            {"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents","logs:DescribeLogStreams"],"Resource":"arn:aws:logs:eu-west-1:111122223333:log-group:/ssm/sessions:*"},
            {"Effect":"Allow","Action":"logs:DescribeLogGroups","Resource":"*"},
            {"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-west-1:111122223333:key/1234"}]}"#;
        let wants = |bucket: &str, prefix: &str, key: &str| {
            let inputs = format!(
                r#"{{"s3BucketName":"{bucket}","s3KeyPrefix":"{prefix}","cloudWatchLogGroupName":"/ssm/sessions","kmsKeyId":"{key}"}}"#
            );
            judged(&inputs, policy)
        };
        for (bucket, prefix, key) in [
            ("logs", "hosts", "1234"),
            ("logs", "hosts/", "arn:aws:kms:eu-west-1:111122223333:key/1234"),
            ("logs", "hosts", "alias/sessions"),
            ("{{ bucket }}", "hosts", "1234"),
        ] {
            assert_eq!(wants(bucket, prefix, key).level, Level::Ok, "{:?}", wants(bucket, prefix, key));
        }
        for (bucket, prefix, key) in [("others", "hosts", "1234"), ("logs", "", "1234"), ("logs", "hosts", "5678")] {
            assert_eq!(wants(bucket, prefix, key).level, Level::Warning, "{bucket} {prefix} {key}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_held_against_anybody() {
        assert_eq!(of(&Err(denied("ssm:GetDocument")), &RolePolicies::default()).level, Level::Unchecked);
        assert_eq!(of(&Ok(Some("schemaVersion: '1.0'".to_owned())), &RolePolicies::default()).level, Level::Unchecked);
        let mut role = policies(&[("p", DEFAULT)]);
        role.inline_unread = Some(denied("iam:ListRolePolicies"));
        let document = Ok(Some(r#"{"inputs":{"kmsKeyId":"1234"}}"#.to_owned()));
        assert_eq!(of(&document, &role).level, Level::Unchecked);
    }

    #[test]
    fn a_deny_on_the_bucket_is_seen() {
        let policy = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:Put*","Resource":"arn:aws:s3:::logs/*"}]}"#;
        assert_eq!(judged(r#"{"s3BucketName":"logs"}"#, policy).level, Level::Warning);
        assert_eq!(judged(r#"{"s3BucketName":"other"}"#, policy).level, Level::Ok);
    }
}
