//! What time it is by AWS's clock: the `Date` of an answer, be it a refusal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use jiff::Timestamp;

use super::incomplete;
use crate::aws::AwsCloud;
use crate::cloud::CloudError;
use crate::doctor::examined::ClockReading;

/// Nobody can be forbidden to ask this (STS API reference, `GetCallerIdentity`).
const OPERATION: &str = "sts:GetCallerIdentity";

pub(super) async fn reading(aws: &AwsCloud) -> Result<ClockReading, CloudError> {
    let seen = SeeDate::default();
    let request = aws.sts.get_caller_identity().customize().interceptor(seen.clone());
    let answer = aws.call_from_home(OPERATION, request.send()).await;
    let reading = *seen.0.lock().unwrap_or_else(PoisonError::into_inner);
    match (reading, answer) {
        (Some(reading), _) => Ok(reading),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Err(incomplete(OPERATION, "no Date")),
    }
}

/// Notes both clocks when the first answer arrives.
#[derive(Debug, Clone, Default)]
struct SeeDate(Arc<Mutex<Option<ClockReading>>>);

#[dyn_dispatch_hint]
impl Intercept for SeeDate {
    fn name(&self) -> &'static str {
        "SeeDate"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let here = Timestamp::try_from(SystemTime::now()).ok();
        let date = context.response().headers().get("date");
        let told = date.and_then(|text| DateTime::from_str(text, Format::HttpDate).ok());
        let aws = told.and_then(|date| Timestamp::from_second(date.secs()).ok());
        if let (Some(here), Some(aws)) = (here, aws) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(ClockReading { here, aws });
        }
        Ok(())
    }
}
