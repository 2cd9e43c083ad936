//! IAM's policy simulator: whether something may be done, without doing it.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};

use super::incomplete;
use crate::aws::AwsCloud;
use crate::aws::pages::Pages;
use crate::cloud::{Caller, CloudError};
use crate::desired::names::Partition;
use crate::doctor::examined::{Answer, Simulated, Simulation};

const OPERATION: &str = "iam:SimulatePrincipalPolicy";

pub(super) async fn simulate(
    aws: &AwsCloud,
    caller: &Caller,
    partition: Partition,
    principal: &str,
    simulation: &Simulation,
) -> Result<Vec<Simulated>, CloudError> {
    let client = &aws.clients(caller).iam[&partition];
    let actions: Vec<String> = simulation.actions.iter().map(|action| (*action).to_owned()).collect();
    let context: Vec<ContextEntry> = simulation.context.iter().map(|(key, value)| entry(key, value)).collect();
    let (mut found, mut pages) = (Vec::new(), Pages::new(OPERATION));
    while pages.turn()? {
        let request = client
            .simulate_principal_policy()
            .policy_source_arn(principal)
            .set_action_names(Some(actions.clone()))
            .set_resource_arns(Some(simulation.resources.clone()))
            .set_context_entries(Some(context.clone()).filter(|entries| !entries.is_empty()))
            .set_marker(pages.token());
        let page = aws.call(caller, OPERATION, request.send()).await?;
        found.extend(page.evaluation_results().iter().flat_map(answers));
        pages.next = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
        if page.is_truncated() && pages.next.is_none() {
            return Err(incomplete(OPERATION, "a truncated list of results and no marker"));
        }
    }
    if found.is_empty() {
        return Err(incomplete(OPERATION, "no results"));
    }
    Ok(found)
}

fn entry(key: &str, value: &str) -> ContextEntry {
    ContextEntry::builder().context_key_name(key).context_key_type(ContextKeyTypeEnum::String).context_key_values(value).build()
}

/// The answer about each resource. Whether AWS puts several into one result or answers each by itself is a guess: both are read.
fn answers(result: &EvaluationResult) -> Vec<Simulated> {
    let action = result.eval_action_name();
    let of = |resource: &str, decision: &PolicyEvaluationDecisionType, unknown: &[String]| Simulated {
        action: action.to_owned(),
        resource: resource.to_owned(),
        answer: answer(decision),
        unknown: unknown.to_vec(),
    };
    match result.resource_specific_results() {
        [] => {
            vec![of(result.eval_resource_name().unwrap_or("*"), result.eval_decision(), result.missing_context_values())]
        }
        each => each
            .iter()
            .map(|one| of(one.eval_resource_name(), one.eval_resource_decision(), one.missing_context_values()))
            .collect(),
    }
}

fn answer(decision: &PolicyEvaluationDecisionType) -> Answer {
    match decision {
        PolicyEvaluationDecisionType::Allowed => Answer::Allowed,
        PolicyEvaluationDecisionType::ExplicitDeny => Answer::Forbidden,
        _ => Answer::NotAllowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_iam::types::ResourceSpecificResult;

    fn result() -> aws_sdk_iam::types::builders::EvaluationResultBuilder {
        EvaluationResult::builder().eval_action_name("iam:PassRole").eval_decision(PolicyEvaluationDecisionType::ImplicitDeny)
    }

    #[test]
    fn results_are_read_whether_they_come_by_resource_or_not() {
        let one = answers(&result().eval_resource_name("a").missing_context_values("aws:SourceVpce").build().unwrap());
        let unknown = vec!["aws:SourceVpce".to_owned()];
        let (action, resource) = ("iam:PassRole".to_owned(), "a".to_owned());
        assert_eq!(one, [Simulated { action, resource, answer: Answer::NotAllowed, unknown }]);

        let of = |name: &str, decision| {
            ResourceSpecificResult::builder().eval_resource_name(name).eval_resource_decision(decision).build().unwrap()
        };
        let each = result()
            .resource_specific_results(of("a", PolicyEvaluationDecisionType::Allowed))
            .resource_specific_results(of("b", PolicyEvaluationDecisionType::ExplicitDeny));
        let told: Vec<_> = answers(&each.build().unwrap()).into_iter().map(|one| (one.resource, one.answer)).collect();
        assert_eq!(told, [("a".to_owned(), Answer::Allowed), ("b".to_owned(), Answer::Forbidden)]);
    }
}
