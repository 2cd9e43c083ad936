variable "role_name" {
  type        = string
  description = "The role that the policy is attached to."
}

data "aws_iam_policy_document" "dhmc_hub" {
  statement {
    sid    = "ReachTheAccounts"
    effect = "Allow"
    actions = [
      "sts:AssumeRole"
    ]
    resources = [
      "arn:aws:iam::*:role/dhmc-controller"
    ]
  }

  statement {
    sid    = "ReachTheAccounts2"
    effect = "Allow"
    actions = [
      "sts:TagSession"
    ]
    resources = [
      "arn:aws:iam::444455556666:role/dhmc-controller"
    ]
  }

  statement {
    sid    = "ListTheOrganization"
    effect = "Allow"
    actions = [
      "organizations:ListAccounts",
      "organizations:ListAccountsForParent",
      "organizations:ListOrganizationalUnitsForParent"
    ]
    resources = [
      "*"
    ]
  }
}

resource "aws_iam_policy" "dhmc_hub" {
  name        = "dhmc-hub"
  description = "What dhmc-controller needs to reach other accounts."
  policy      = data.aws_iam_policy_document.dhmc_hub.json
}

resource "aws_iam_role_policy_attachment" "dhmc_hub" {
  role       = var.role_name
  policy_arn = aws_iam_policy.dhmc_hub.arn
}
