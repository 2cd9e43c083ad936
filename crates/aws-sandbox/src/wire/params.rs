//! The parameters of a call, read alike from a JSON body and from a query form.

use serde_json::{Map, Value};

use super::answer::Protocol;
use super::error::{ServiceError, Shared};

/// Parameters by name; forms stay flat (`Tags.member.1.Key`).
#[derive(Debug)]
pub(crate) struct Params {
    protocol: Protocol,
    values: Map<String, Value>,
}

impl Params {
    pub(crate) fn read(protocol: Protocol, body: &[u8]) -> Result<Self, ServiceError> {
        let values = match protocol {
            Protocol::Query { .. } => {
                form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
            }
            Protocol::Json | Protocol::RestJson if body.is_empty() => Map::new(),
            Protocol::Json | Protocol::RestJson => {
                serde_json::from_slice(body).map_err(|_| ServiceError::new(400, "SerializationException", "not a JSON object"))?
            }
        };
        Ok(Self { protocol, values })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ServiceError> {
        match self.text(name) {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(self.invalid(name, "''", "Member must have length greater than or equal to 1")),
            None => Err(self.invalid(name, "null", "Member must not be null")),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, ServiceError> {
        let number = match self.values.get(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64(),
        };
        let value = self.values.get(name).map(Value::to_string).unwrap_or_default();
        number.map(Some).ok_or_else(|| self.invalid(name, &value, "Member must be a number"))
    }

    /// A list of texts: `Name.member.1`, … of a form, or a JSON array.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        if let Some(Value::Array(values)) = self.values.get(name) {
            return values.iter().filter_map(Value::as_str).collect();
        }
        (1..).map_while(|n| self.text(&format!("{name}.member.{n}"))).collect()
    }

    /// A list of tags of a form: `Tags.member.1.Key` and `.Value`.
    pub(crate) fn tags(&self) -> Vec<(&str, &str)> {
        (1..)
            .map_while(|n| {
                let key = self.text(&format!("Tags.member.{n}.Key"))?;
                let value = self.text(&format!("Tags.member.{n}.Value"));
                Some((key, value.unwrap_or_default()))
            })
            .collect()
    }

    /// A validation error in AWS's wording.
    pub(crate) fn invalid(&self, name: &str, value: &str, rule: &str) -> ServiceError {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        let name: String = first.into_iter().chain(letters).collect();
        let message = format!("1 validation error detected: Value {value} at '{name}' failed to satisfy constraint: {rule}");
        Shared::Invalid.in_words(self.protocol, message)
    }

    /// Everything but a form's `Action` and `Version`, for the journal.
    pub(crate) fn to_json(&self) -> Value {
        let mut values = self.values.clone();
        if let Protocol::Query { .. } = self.protocol {
            values.remove("Action");
            values.remove("Version");
        }
        Value::Object(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: Protocol = Protocol::Query { namespace: "n" };

    #[test]
    fn a_form_is_read_with_its_lists() {
        let body = b"Action=TagRole&Tags.member.1.Key=a%20b&Tags.member.1.Value=c&TagKeys.member.1=x&TagKeys.member.2=y";
        let params = Params::read(QUERY, body).unwrap();
        assert_eq!(params.tags(), [("a b", "c")]);
        assert_eq!(params.texts("TagKeys"), ["x", "y"]);
    }

    #[test]
    fn a_missing_parameter_is_named_as_aws_names_it() {
        let params = Params::read(Protocol::Json, b"{}").unwrap();
        let error = params.required("SettingId").unwrap_err();
        assert_eq!(error.code, "ValidationException");
        assert!(error.message.contains("Value null at 'settingId'"));
    }

    #[test]
    fn a_body_that_is_no_json_object_is_a_serialization_error() {
        let error = Params::read(Protocol::Json, b"[1").unwrap_err();
        assert_eq!(error.code, "SerializationException");
    }
}
