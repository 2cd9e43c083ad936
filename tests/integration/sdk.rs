//! Somebody else in the account: the real SDK, used to look at AWS and to spoil it.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ssm::error::ProvideErrorMetadata;
use aws_sdk_ssm::types::ServiceSetting;

use crate::referee::Referee;

pub const SETTING: &str = "/ssm/managed-instance/default-ec2-instance-management-role";
pub const ROLE: &str = "AWSSystemsManagerDefaultEC2InstanceManagementRole";
pub const VALUE: &str = "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole";
pub const POLICY: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";
pub const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
pub const EC2_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// An administrator of the referee's account.
pub struct Admin {
    config: SdkConfig,
    pub iam: aws_sdk_iam::Client,
}

impl Admin {
    pub fn of(referee: &Referee) -> Self {
        Self::at(&referee.url, &referee.credentials)
    }

    pub fn at(url: &str, credentials: &Credentials) -> Self {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(url)
            .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
            .build();
        let iam = aws_sdk_iam::Client::new(&config);
        Self { config, iam }
    }

    fn ssm(&self, region: &str) -> aws_sdk_ssm::Client {
        let config = self.config.clone().into_builder().region(Region::new(region.to_owned())).build();
        aws_sdk_ssm::Client::new(&config)
    }

    pub async fn get_setting(&self, region: &str) -> ServiceSetting {
        self.ssm(region).get_service_setting().setting_id(SETTING).send().await.unwrap().service_setting.unwrap()
    }

    pub async fn setting(&self, region: &str) -> String {
        self.get_setting(region).await.setting_value.unwrap()
    }

    pub async fn set_setting(&self, region: &str, value: &str) {
        self.try_set_setting(region, value).await.unwrap();
    }

    /// The error is AWS's message.
    pub async fn try_set_setting(&self, region: &str, value: &str) -> Result<(), String> {
        let request = self.ssm(region).update_service_setting().setting_id(SETTING).setting_value(value);
        request.send().await.map(drop).map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    pub async fn reset_setting(&self, region: &str) {
        self.try_reset_setting(region).await.unwrap();
    }

    /// The error is AWS's message.
    pub async fn try_reset_setting(&self, region: &str) -> Result<(), String> {
        let request = self.ssm(region).reset_service_setting().setting_id(SETTING);
        request.send().await.map(drop).map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    pub async fn create_role(&self, name: &str, path: &str, trust: &str) {
        self.iam.create_role().role_name(name).path(path).assume_role_policy_document(trust).send().await.unwrap();
    }

    pub async fn role_exists(&self, name: &str) -> bool {
        self.iam.get_role().role_name(name).send().await.is_ok()
    }

    pub async fn trust_policy(&self, name: &str) -> serde_json::Value {
        let role = self.iam.get_role().role_name(name).send().await.unwrap().role.unwrap();
        let document = role.assume_role_policy_document().unwrap();
        let decoded = percent_encoding::percent_decode_str(document).decode_utf8().unwrap();
        serde_json::from_str(&decoded).unwrap()
    }

    pub async fn attached(&self, name: &str) -> Vec<String> {
        let answer = self.iam.list_attached_role_policies().role_name(name).send().await.unwrap();
        let mut arns: Vec<String> = answer.attached_policies().iter().filter_map(|p| p.policy_arn().map(str::to_owned)).collect();
        arns.sort();
        arns
    }

    pub async fn attach(&self, name: &str, arn: &str) {
        self.iam.attach_role_policy().role_name(name).policy_arn(arn).send().await.unwrap();
    }

    pub async fn detach(&self, name: &str, arn: &str) {
        self.iam.detach_role_policy().role_name(name).policy_arn(arn).send().await.unwrap();
    }

    pub async fn set_trust(&self, name: &str, document: &str) {
        self.iam.update_assume_role_policy().role_name(name).policy_document(document).send().await.unwrap();
    }
}
