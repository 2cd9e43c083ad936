variable "role_name" {
  type        = string
  description = "The role that the policy is attached to."
  default     = "dhmc-controller"
}

data "aws_iam_policy_document" "dhmc_member" {
  statement {
    sid    = "ReadSettings"
    effect = "Allow"
    actions = [
      "ssm:GetServiceSetting"
    ]
    resources = [
      "arn:aws:ssm:*:444455556666:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values = [
        "eu-west-1",
        "sa-east-1",
        "us-east-1"
      ]
    }
  }

  statement {
    sid    = "ReadRole"
    effect = "Allow"
    actions = [
      "iam:GetRole",
      "iam:ListAttachedRolePolicies"
    ]
    resources = [
      "arn:aws:iam::444455556666:role/service-role/payments-host-management"
    ]
  }

  statement {
    sid    = "ReadRole2"
    effect = "Allow"
    actions = [
      "iam:GetRole"
    ]
    resources = [
      "arn:aws:iam::444455556666:role/payments-host-management"
    ]
  }
}

resource "aws_iam_policy" "dhmc_member" {
  name        = "dhmc-member"
  description = "What dhmc-controller needs in an account that it reaches by assuming a role."
  policy      = data.aws_iam_policy_document.dhmc_member.json
}

resource "aws_iam_role_policy_attachment" "dhmc_member" {
  role       = var.role_name
  policy_arn = aws_iam_policy.dhmc_member.arn
}
